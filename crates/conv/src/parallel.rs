//! Loops over independent tasks on the threads of rayon.
// unsafe: a pointer to an output crosses threads where the parts that tasks write are no slices.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::marker::PhantomData;

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

/// Runs `work` with all loops of this crate on this thread: for a task among others that share the threads already.
pub fn serially<R>(work: impl FnOnce() -> R) -> R {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            SERIAL.set(self.0);
        }
    }
    let _reset = Reset(SERIAL.replace(true));
    work()
}

/// Runs every task, in any order and on any thread. What a task may write it brings along: a part of the output, say.
pub(crate) fn for_each<T: Send>(tasks: impl IntoIterator<Item = T>, run: impl Fn(T) + Sync + Send) {
    if threads() == 1 {
        return tasks.into_iter().for_each(run);
    }
    let tasks: Vec<T> = tasks.into_iter().collect();
    if tasks.len() <= 1 {
        tasks.into_iter().for_each(run);
    } else {
        tasks.into_par_iter().with_max_len(1).for_each(run);
    }
}

/// Runs `work` on one of rayon's threads, so that its loops start without handing over to the pool each time.
pub(crate) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}

/// A borrowed slice of which tasks write places through pointers: where what one of them writes is no slice of its own.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: whoever writes through a pointer, which takes `unsafe`, keeps to places that no other task touches. Threads may then
// share the pointers as they may share parts of a mutable slice.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(crate) fn new(slice: &'a mut [f32]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            slice: PhantomData,
        }
    }

    /// The address of element `offset`, from which the rest of the slice can be reached while it is borrowed.
    ///
    /// # Panics
    /// If there is no such element.
    pub(crate) fn at(self, offset: usize) -> *mut f32 {
        assert!(offset < self.len, "a place outside the shared slice");
        self.start.wrapping_add(offset)
    }
}
