//! Maps and weights as pairs of bf16: two values in each word of 32 bits, the first in its lower half.
// unsafe: intrinsics behind a question whether the processor has them, on slices whose lengths are checked.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::isa::{Isa, LANES};
use crate::parallel::for_each;
use crate::simd::{nearest_bf16, simd_entry};

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Neighbouring channels paired, of every pixel that is `step` rows and columns from the last one: `[batch][channels / 16][height]
/// [width][8]`.
pub(crate) fn pair_channels(map: &Blocked, step: usize) -> Buffer {
    by_planes(map, step, |pixels| pixels * LANES / 2, pair_neighbours)
}

/// The channels of two neighbouring blocks paired with their neighbours, of every pixel that is `step` rows and columns from the last one;
/// an odd block has zeros beside it: `[batch][channels / 32][height][width][16]`.
pub(crate) fn pair_blocks(map: &Blocked, step: usize) -> Buffer {
    let (row, plane) = (map.width() * LANES, map.height() * map.width() * LANES);
    let [height, width] = [map.height(), map.width()].map(|size| size.div_ceil(step));
    let mut paired = Buffer::stale(map.batch() * map.blocks().div_ceil(2) * height * width * LANES);
    let images = map.data.chunks(map.image_len());
    let blocks = images.flat_map(|image| image.chunks(2 * plane));
    let planes = paired.chunks_mut(height * width * LANES);
    for_each(blocks.zip(planes), |(from, to)| {
        for (y, to) in to.chunks_mut(width * LANES).enumerate() {
            let (first, second) = from.split_at(plane);
            let second = (!second.is_empty()).then(|| &second[y * step * row..]);
            pair_two_blocks(&first[y * step * row..], second, step * LANES, to);
        }
    });
    paired
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
    if natively() {
        // SAFETY: the processor has the instructions.
        return unsafe { neighbours(from, to) };
    }
    for (two, to) in from.as_chunks().0.iter().zip(to) {
        *to = word(*two);
    }
}

/// Whether the processor makes pairs by itself.
fn natively() -> bool {
    Isa::Avx512Bf16.supported() == Isa::Avx512Bf16
}

/// A word of the two values rounded, the first in its lower half.
fn word(two: [f32; 2]) -> f32 {
    let [low, high] = two.map(half).map(u32::from);
    f32::from_bits(low | high << 16)
}

/// The value rounded, as the upper half of its float; what is not a number stays so.
#[inline(always)]
pub(crate) fn half(x: f32) -> u16 {
    let quiet = u16::from(x.is_nan()) << 6;
    (nearest_bf16(x).to_bits() >> 16) as u16 | quiet
}

/// The halves of words.
pub(crate) fn halves_mut(words: &mut [f32]) -> &mut [u16] {
    // SAFETY: a float is as large as two of them, and any bits are both.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), 2 * words.len()) }
}

/// The vector `i` of `to` holds the neighbours of the vector of `first` at `i * step`, then those of `second` or zeros.
///
/// # Panics
/// If `first` or `second` lacks a vector.
fn pair_two_blocks(first: &[f32], second: Option<&[f32]>, step: usize, to: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if natively() {
        // SAFETY: the processor has the instructions.
        return unsafe { two_blocks(first, second, step, to) };
    }
    for (i, to) in to.chunks_exact_mut(LANES).enumerate() {
        let (low, high) = to.split_at_mut(LANES / 2);
        pair_neighbours(&first[i * step..][..LANES], low);
        match second {
            Some(second) => pair_neighbours(&second[i * step..][..LANES], high),
            None => high.fill(0.0),
        }
    }
}

/// The vector `i` of `to` holds the vector of `from` at `i * step` and the one that is `apart` floats further, or zero where there is
/// none.
///
/// # Panics
/// If `from` lacks a first vector, or a vector is cut off.
pub(crate) fn pair_vectors(from: &[f32], apart: usize, step: usize, to: &mut [f32]) {
    assert!(
        to.len().is_multiple_of(LANES) && from.len().is_multiple_of(LANES),
        "vectors are whole"
    );
    #[cfg(target_arch = "x86_64")]
    if natively() {
        // SAFETY: the processor has the instructions.
        return unsafe { vector_pairs(from, apart, step, to) };
    }
    for (i, to) in to.chunks_exact_mut(LANES).enumerate() {
        let low = &from[i * step..][..LANES];
        let high = from.get(i * step + apart..i * step + apart + LANES);
        for (k, to) in to.iter_mut().enumerate() {
            *to = word([low[k], high.map_or(0.0, |high| high[k])]);
        }
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

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn two_blocks(first: &[f32], second: Option<&[f32]>, step: usize, to: &mut [f32]) {
    for (i, to) in to.chunks_exact_mut(LANES).enumerate() {
        let low = &first[i * step..][..LANES];
        let high = second.map(|second| &second[i * step..][..LANES]);
        // SAFETY: all slices are as long as the vectors, whose types are of 512 bits.
        unsafe {
            let low = _mm512_loadu_ps(low.as_ptr());
            let high = high.map_or(_mm512_setzero_ps(), |high| _mm512_loadu_ps(high.as_ptr()));
            let words = std::mem::transmute::<__m512bh, __m512>(_mm512_cvtne2ps_pbh(high, low));
            _mm512_storeu_ps(to.as_mut_ptr(), words);
        }
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
        *x = nearest_bf16(*x);
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
