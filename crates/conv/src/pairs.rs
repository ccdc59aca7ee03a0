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

/// Neighbouring channels paired: `[batch][channels / 16][height][width][8]`.
pub(crate) fn pair_channels(map: &Blocked) -> Buffer {
    let mut words = Buffer::stale(map.data.len() / 2);
    let plane = map.height() * map.width() * LANES;
    let planes = words.chunks_mut(plane / 2);
    for_each(map.data.chunks(plane).zip(planes), |(from, to)| {
        pair_neighbours(from, to)
    });
    words
}

/// Every pixel paired with the one `apart` columns further, or with zero where the row ends before: `[batch][channels / 16][height]
/// [width][16]`.
pub(crate) fn pair_pixels(map: &Blocked, apart: usize) -> Buffer {
    let mut words = Buffer::stale(map.data.len());
    let (row, shift) = (map.width() * LANES, apart * LANES);
    let plane = map.height() * row;
    let planes = words.chunks_mut(plane);
    for_each(map.data.chunks(plane).zip(planes), |(from, to)| {
        for (from, to) in from.chunks(row).zip(to.chunks_mut(row)) {
            let (to, last) = to.split_at_mut(row.saturating_sub(shift));
            pair_lanes(from, &from[shift.min(row)..], to);
            pair_lanes(&from[to.len()..], &[], last);
        }
    });
    words
}

/// Rows of 32 weights, two channels after each other, paired: half as many rows.
pub(crate) fn pair_rows(rows: &[f32], row: usize) -> Buffer {
    let mut words = Buffer::stale(rows.len() / 2);
    let pairs = rows.chunks_exact(2 * row).zip(words.chunks_exact_mut(row));
    for (two, to) in pairs {
        let (first, second) = two.split_at(row);
        pair_lanes(first, second, to);
    }
    words
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

/// `to[i]` holds `first[i]` and `second[i]`, or zero where `second` has ended: at once, or with `to`.
fn pair_lanes(first: &[f32], second: &[f32], to: &mut [f32]) {
    assert!(
        first.len() >= to.len() && (second.is_empty() || second.len() >= to.len()),
        "two values make a word"
    );
    #[cfg(target_arch = "x86_64")]
    // SAFETY: pairs are only made for a processor that multiplies them.
    unsafe {
        lanes(first, second, to);
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
fn lanes(first: &[f32], second: &[f32], to: &mut [f32]) {
    let mut order = [0u16; 2 * LANES];
    for (i, place) in order.iter_mut().enumerate() {
        *place = (i / 2 + i % 2 * LANES) as u16;
    }
    for (i, to) in to.chunks_exact_mut(LANES).enumerate() {
        // SAFETY: all slices are as long as the vectors, whose types are of 512 bits.
        unsafe {
            let order = _mm512_loadu_si512(order.as_ptr().cast());
            let low = _mm512_loadu_ps(first[i * LANES..][..LANES].as_ptr());
            let high = if second.is_empty() {
                _mm512_setzero_ps()
            } else {
                _mm512_loadu_ps(second[i * LANES..][..LANES].as_ptr())
            };
            let halves = _mm512_cvtne2ps_pbh(high, low);
            let words = _mm512_permutexvar_epi16(order, std::mem::transmute(halves));
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
