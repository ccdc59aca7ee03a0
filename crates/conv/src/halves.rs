//! What a backward pass keeps: half the memory where a value needs no more than bf16, and a bit where its sign is enough.
// unsafe: the vector operations are.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use crate::isa::{Isa, LANES};
use crate::pairs;
use crate::parallel::{for_each, in_pool};
use crate::simd::{Simd, simd_entry};

/// Values that one task works through.
const CHUNK: usize = 4096;

/// Values of bf16, each the upper half of a float.
#[derive(Clone, Debug)]
pub struct Halves(Vec<u16>);

/// Values that were kept.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// As they were.
    Floats(&'a [f32]),
    /// Those of [`Halves`].
    Halves(&'a [u16]),
}

impl Halves {
    /// The values, if they are all of bf16, so that nothing is lost.
    pub fn exact(values: &[f32]) -> Option<Self> {
        let is_half = |x: &f32| x.to_bits() & 0xffff == 0;
        // Whatever is not of bf16 shows at once.
        if !values.iter().take(LANES).all(is_half) {
            return None;
        }
        let exact = AtomicBool::new(true);
        let halves = Self::of(values, |from, to| {
            if exact.load(Ordering::Relaxed) {
                if from.iter().all(is_half) {
                    truncate(from, to);
                } else {
                    exact.store(false, Ordering::Relaxed);
                }
            }
        });
        exact.into_inner().then_some(halves)
    }

    /// The nearest values of bf16, ties to even: what a convolution in bf16 makes of its operands.
    pub fn rounded(values: &[f32]) -> Self {
        let isa = Isa::best();
        Self::of(values, |from, to| {
            let mut rounded = [0.0; CHUNK];
            let rounded = &mut rounded[..from.len()];
            rounded.copy_from_slice(from);
            pairs::round(isa, rounded);
            truncate(rounded, to);
        })
    }

    /// `fill` writes a chunk.
    fn of(values: &[f32], fill: impl Fn(&[f32], &mut [u16]) + Sync + Send) -> Self {
        let mut halves = vec![0; values.len()];
        let chunks = values.chunks(CHUNK).zip(halves.chunks_mut(CHUNK));
        in_pool(|| for_each(chunks, |(from, to)| fill(from, to)));
        Self(halves)
    }

    /// As floats.
    pub fn to_floats(&self) -> Vec<f32> {
        let mut floats = vec![0.0; self.0.len()];
        let chunks = self.0.chunks(CHUNK).zip(floats.chunks_mut(CHUNK));
        in_pool(|| {
            for_each(chunks, |(from, to)| {
                for (half, to) in from.iter().zip(to) {
                    *to = float(*half);
                }
            });
        });
        floats
    }

    /// To be read as they are.
    pub fn kept(&self) -> Kept<'_> {
        Kept::Halves(&self.0)
    }
}

impl<'a> Kept<'a> {
    /// How many there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Halves(values) => values.len(),
        }
    }

    /// `len` of them from the one at `start` on.
    ///
    /// # Panics
    /// If there are fewer.
    pub(crate) fn run(self, start: usize, len: usize) -> Kept<'a> {
        match self {
            Self::Floats(values) => Self::Floats(&values[start..][..len]),
            Self::Halves(values) => Self::Halves(&values[start..][..len]),
        }
    }
}

/// The value of bf16 whose bits these are.
#[inline(always)]
pub(crate) fn float(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// The upper halves; what is not a number stays so.
fn truncate(from: &[f32], to: &mut [u16]) {
    for (x, to) in from.iter().zip(to) {
        let quiet = u16::from(x.is_nan()) << 6;
        *to = (x.to_bits() >> 16) as u16 | quiet;
    }
}

/// A bit for every value, sixteen a word and the first lowest: whether it is above 0.
///
/// # Panics
/// If there are not as many words as it takes.
pub fn above_zero(values: &[f32], bits: &mut [u16]) {
    assert_eq!(
        bits.len(),
        values.len().div_ceil(LANES),
        "a bit for every value"
    );
    // SAFETY: an `Isa` says what the processor has, and there are as many words as vectors.
    unsafe { signs(Isa::best(), values, bits) };
}

simd_entry!(
    /// A bit for every value.
    ///
    /// # Safety
    /// There is a word for every vector, whole or not.
    signs = all_signs(values: &[f32], bits: &mut [u16])
);

#[inline(always)]
unsafe fn all_signs<S: Simd>(values: &[f32], bits: &mut [u16]) {
    let vectors = values.chunks_exact(LANES);
    let rest = vectors.remainder();
    for (values, word) in vectors.zip(bits.iter_mut()) {
        // SAFETY: the chunk is a vector; the rest is the caller's promise.
        *word = unsafe { S::above_zero(S::load(values.as_ptr())) };
    }
    if let (false, Some(last)) = (rest.is_empty(), bits.last_mut()) {
        *last = rest
            .iter()
            .rev()
            .fold(0, |bits, x| bits << 1 | u16::from(*x > 0.0));
    }
}
