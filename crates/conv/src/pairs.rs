//! Maps and weights as pairs of bf16: two values in each word of 32 bits, the first in its lower half.
// unsafe: intrinsics behind `Isa::Avx512Bf16`, which says that the processor has them, on slices whose lengths are checked.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::isa::{Isa, LANES};
use crate::parallel::for_each;
use crate::simd::simd_entry;

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Neighbouring channels paired, of every pixel that is `step` rows and columns from the last one: `[batch][channels / 16][height]
/// [width][8]`.
pub(crate) fn pair_channels(map: &Blocked, step: usize) -> Buffer {
    by_planes(map, step, |pixels| pixels * LANES / 2, pair_neighbours)
}

/// Neighbouring pixels paired, of those that are `step` rows and columns from the last one, all in one line; an odd one is paired with
/// zero: `[batch][channels / 16][pixels / 2][16]`.
pub(crate) fn pair_line(map: &Blocked, step: usize) -> Buffer {
    let words = |pixels: usize| pixels.div_ceil(2) * LANES;
    by_planes(map, step, words, |from, to| {
        pair_vectors(from, LANES, 2 * LANES, to)
    })
}

/// Every pixel paired with the one `apart` columns further, or with zero where the row ends before: `[batch][channels / 16][height]
/// [width][16]`.
pub(crate) fn pair_pixels(map: &Blocked, apart: usize) -> Buffer {
    let mut words = Buffer::stale(map.data.len());
    let row = map.width() * LANES;
    let plane = map.height() * row;
    let planes = words.chunks_mut(plane);
    for_each(map.data.chunks(plane).zip(planes), |(from, to)| {
        for (from, to) in from.chunks(row).zip(to.chunks_mut(row)) {
            pair_vectors(from, apart * LANES, LANES, to);
        }
    });
    words
}

/// Rows of `row` weights, two after each other paired: half as many rows.
pub(crate) fn pair_rows(rows: &[f32], row: usize, words: &mut [f32]) {
    assert_eq!(rows.len(), 2 * words.len(), "two rows make one");
    for (two, to) in rows.chunks_exact(2 * row).zip(words.chunks_exact_mut(row)) {
        pair_vectors(two, row, LANES, to);
    }
}

/// Pairs of every plane's pixels that are `step` rows and columns from the last one; `words` says how many so many pixels make.
fn by_planes(
    map: &Blocked,
    step: usize,
    words: impl Fn(usize) -> usize,
    pair: impl Fn(&[f32], &mut [f32]) + Sync + Send,
) -> Buffer {
    let (row, plane) = (map.width() * LANES, map.height() * map.width() * LANES);
    let [height, width] = [map.height(), map.width()].map(|size| size.div_ceil(step));
    let pixels = height * width;
    let paired_plane = words(pixels);
    let mut paired = Buffer::stale(map.batch() * map.blocks() * paired_plane);
    let planes = paired.chunks_mut(paired_plane);
    for_each(map.data.chunks(plane).zip(planes), |(from, to)| {
        if step == 1 {
            return pair(from, to);
        }
        let mut thinned = Buffer::stale(pixels * LANES);
        let rows = from.chunks(row).step_by(step);
        for (from, to) in rows.zip(thinned.chunks_mut(width * LANES)) {
            let pixels = from.chunks(LANES).step_by(step);
            for (from, to) in pixels.zip(to.chunks_mut(LANES)) {
                to.copy_from_slice(from);
            }
        }
        pair(&thinned, to);
    });
    paired
}

/// `to[i]` holds `from[2 * i]` and `from[2 * i + 1]`.
///
/// # Panics
/// If `from` has not twice the length.
pub(crate) fn pair_neighbours(from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), 2 * to.len(), "two values make a word");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: pairs are only made for a processor that multiplies them.
    unsafe {
        neighbours(from, to);
    }
}

/// The vector `i` of `to` holds the vector of `from` at `i * step` and the one that is `apart` floats further, or zero where there is
/// none.
///
/// # Panics
/// If `from` lacks a first vector, or a vector is cut off.
fn pair_vectors(from: &[f32], apart: usize, step: usize, to: &mut [f32]) {
    assert!(
        to.len().is_multiple_of(LANES) && from.len().is_multiple_of(LANES),
        "vectors are whole"
    );
    #[cfg(target_arch = "x86_64")]
    // SAFETY: pairs are only made for a processor that multiplies them.
    unsafe {
        vector_pairs(from, apart, step, to);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn neighbours(from: &[f32], to: &mut [f32]) {
    let whole = to.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let (from, to) = (&from[2 * at..][..2 * LANES], &mut to[at..][..LANES]);
        // SAFETY: both slices are as long as the vectors, whose types are of 512 bits.
        unsafe {
            let [low, high] = [0, LANES].map(|half| _mm512_loadu_ps(from.as_ptr().add(half)));
            let words = std::mem::transmute::<__m512bh, __m512>(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_ps(to.as_mut_ptr(), words);
        }
    }
    if whole < to.len() {
        let (mut values, mut words) = ([0.0; 2 * LANES], [0.0; LANES]);
        let rest = &mut to[whole..];
        values[..2 * rest.len()].copy_from_slice(&from[2 * whole..]);
        neighbours(&values, &mut words);
        rest.copy_from_slice(&words[..rest.len()]);
    }
}

/// Where the halves of words come from among those of two vectors, each narrowed to bf16.
#[cfg(target_arch = "x86_64")]
const ORDER: [u16; 2 * LANES] = {
    let mut order = [0; 2 * LANES];
    let mut i = 0;
    while i < 2 * LANES {
        order[i] = (i / 2 + i % 2 * LANES) as u16;
        i += 1;
    }
    order
};

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn vector_pairs(from: &[f32], apart: usize, step: usize, to: &mut [f32]) {
    for (i, to) in to.chunks_exact_mut(LANES).enumerate() {
        let low = &from[i * step..][..LANES];
        let high = from.get(i * step + apart..i * step + apart + LANES);
        // SAFETY: all slices are as long as the vectors, whose types are of 512 bits.
        unsafe {
            let order = _mm512_loadu_si512(ORDER.as_ptr().cast());
            let low = _mm512_loadu_ps(low.as_ptr());
            let high = high.map_or(_mm512_setzero_ps(), |high| _mm512_loadu_ps(high.as_ptr()));
            let halves = _mm512_cvtne2ps_pbh(high, low);
            let words =
                _mm512_permutexvar_epi16(order, std::mem::transmute::<__m512bh, __m512i>(halves));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), words);
        }
    }
}

/// Rounds every value to the nearest of bf16.
pub(crate) fn round(isa: Isa, values: &mut [f32]) {
    let whole = values.len() / LANES * LANES;
    let (vectors, rest) = values.split_at_mut(whole);
    // SAFETY: an `Isa` says what the processor has.
    unsafe { round_vectors(isa, vectors) };
    for x in rest {
        *x = crate::simd::nearest_bf16(*x);
    }
}

simd_entry!(
    /// Rounds whole vectors.
    ///
    /// # Safety
    /// None beyond the instruction set's.
    round_vectors = vectors(values: &mut [f32])
);

#[inline(always)]
unsafe fn vectors<S: crate::simd::Simd>(values: &mut [f32]) {
    for x in values.chunks_exact_mut(LANES) {
        // SAFETY: the chunk is a vector; the rest is the caller's promise.
        unsafe { S::store(x.as_mut_ptr(), S::round(S::load(x.as_ptr()))) };
    }
}
