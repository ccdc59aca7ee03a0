//! Memory for decoding, shared by all threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::image::{DECODING_BYTES, pixel_count};
use crate::sample::Source;

/// Bytes that images which are being decoded may take together.
const BYTES: u64 = 1 << 30;

static ROOM: Room = Room::new(BYTES);

/// Waits until there is room to decode an image, and keeps it until the guard is dropped. An image that needs all of it is decoded alone.
/// The holder must not wait for other images meanwhile.
pub(crate) fn room_for(source: &Source) -> Taken<'static> {
    ROOM.take(pixel_count(source).saturating_mul(DECODING_BYTES))
}

struct Room {
    all: u64,
    free: Mutex<u64>,
    given_back: Condvar,
}

/// Bytes that are taken until this is dropped.
pub(crate) struct Taken<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    const fn new(bytes: u64) -> Self {
        Self {
            all: bytes,
            free: Mutex::new(bytes),
            given_back: Condvar::new(),
        }
    }

    /// A poisoned lock only means that another thread panicked.
    fn free(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.all);
        let waited = self
            .given_back
            .wait_while(self.free(), |free| *free < bytes);
        *waited.unwrap_or_else(PoisonError::into_inner) -= bytes;
        Taken { room: self, bytes }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.room.free() += self.bytes;
        self.room.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let room = Room::new(100);
        let (taken, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (room, taken, most) = (&room, &taken, &most);
                scope.spawn(move || {
                    for turn in 0..200 {
                        // Some want more than there is.
                        let bytes = 1 + (thread * 37 + turn * 11) % 120;
                        let guard = room.take(bytes);
                        let now = taken.fetch_add(guard.bytes, Ordering::SeqCst) + guard.bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        taken.fetch_sub(guard.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 100);
        assert_eq!(*room.free(), 100);
    }
}
