//! Cache-line aligned buffers, recycled: mapping fresh pages costs as much as a small convolution.
// unsafe: a slice of aligned lines is viewed as the floats it is made of.
#![allow(unsafe_code)]

use std::sync::{Mutex, PoisonError};

use crate::isa::LANES;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LANES]);

/// Lines kept for reuse in the whole process: 128 MiB.
const KEPT_LINES: usize = (128 << 20) / 64;

static FREE: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

/// A buffer of floats aligned to 64 bytes. Its memory is taken from, and returns to, a bounded pool.
pub(crate) struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// `len` floats of arbitrary (initialised) content.
    pub(crate) fn stale(len: usize) -> Self {
        let need = len.div_ceil(LANES);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let fit = (0..free.len())
            .filter(|&i| free[i].len() >= need && free[i].len() <= 2 * need + 1024)
            .min_by_key(|&i| free[i].len());
        let lines = fit.map(|i| free.swap_remove(i));
        drop(free);
        Self {
            lines: lines.unwrap_or_else(|| vec![Line([0.0; LANES]); need]),
            len,
        }
    }

    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.fill(0.0);
        buffer
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: `Line` is sixteen floats without padding, and the lines hold at least `len`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl std::ops::Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        self.as_slice()
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.as_mut_slice()
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::stale(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(lines);
        let mut kept: usize = free.iter().map(Vec::len).sum();
        while kept > KEPT_LINES || free.len() > 64 {
            kept -= free.remove(0).len();
        }
    }
}
