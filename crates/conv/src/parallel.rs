//! Loops over independent tasks on the threads of rayon.
// unsafe: tasks write disjoint parts of one output through a shared pointer; each user of `Shared` says which.
#![allow(unsafe_code)]

use std::cell::Cell;

use rayon::prelude::*;

thread_local! {
    /// Whether loops on this thread stay on it.
    static SERIAL: Cell<bool> = const { Cell::new(false) };
}

/// Threads that a loop started here runs on.
pub(crate) fn threads() -> usize {
    if SERIAL.get() {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Runs `work` with all its loops on this thread.
pub(crate) fn serially<R>(work: impl FnOnce() -> R) -> R {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            SERIAL.set(self.0);
        }
    }
    let _reset = Reset(SERIAL.replace(true));
    work()
}

/// Runs `task(0..count)`, in any order and on any thread; the tasks must not depend on each other.
pub(crate) fn for_each(count: usize, task: impl Fn(usize) + Sync + Send) {
    if count <= 1 || threads() == 1 {
        (0..count).for_each(task);
    } else {
        (0..count).into_par_iter().with_max_len(1).for_each(task);
    }
}

/// Runs `work` on one of rayon's threads, so that its loops start without handing over to the pool each time.
pub(crate) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// A pointer that tasks share to write disjoint places.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// Safety: every task writes places no other task touches while the loop runs.
unsafe impl Send for Shared {}
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn new(slice: &mut [f32]) -> Self {
        Self(slice.as_mut_ptr())
    }

    /// The address of element `offset`.
    ///
    /// # Safety
    /// `offset` lies within the slice, and the element is written by one task only.
    pub(crate) unsafe fn at(self, offset: usize) -> *mut f32 {
        unsafe { self.0.add(offset) }
    }
}

/// The part of a shared slice that one task owns.
pub(crate) fn part<'a>(shared: Shared, offset: usize, len: usize) -> &'a mut [f32] {
    // Safety: callers ask for disjoint parts within the slice, and use them while it is borrowed.
    unsafe { std::slice::from_raw_parts_mut(shared.at(offset), len) }
}
