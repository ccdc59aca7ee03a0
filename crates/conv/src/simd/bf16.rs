//! Rounding to bf16, and products of it.
// unsafe: vector intrinsics are only defined on processors that have them, which whoever calls a method of [`Simd`] promises.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::Simd;
#[cfg(target_arch = "x86_64")]
use super::{Avx512, LANES};

/// The nearest value of bf16, ties to even: the carry out of the lower half rounds the upper one.
#[inline(always)]
pub(crate) fn nearest_bf16(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    let bits = x.to_bits();
    f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

/// [`nearest_bf16`] of eight values.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn round_eight(x: __m256) -> __m256 {
    // SAFETY: the caller's promise that the processor has AVX2.
    unsafe {
        let bits = _mm256_castps_si256(x);
        let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
        let up = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
        let rounded = _mm256_and_si256(_mm256_add_epi32(bits, up), _mm256_set1_epi32(!0xffff));
        let is_nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(x, x);
        _mm256_blendv_ps(_mm256_castsi256_ps(rounded), x, is_nan)
    }
}

/// [`nearest_bf16`] of sixteen values.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn round_sixteen(x: __m512) -> __m512 {
    // SAFETY: the caller's promise that the processor has AVX-512F.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let up = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
        let rounded = _mm512_and_si512(_mm512_add_epi32(bits, up), _mm512_set1_epi32(!0xffff));
        let is_number = _mm512_cmp_ps_mask::<_CMP_ORD_Q>(x, x);
        _mm512_mask_mov_ps(x, is_number, _mm512_castsi512_ps(rounded))
    }
}

/// AVX-512 whose products are of pairs of bf16: a word of 32 bits holds two. Sums and all else are of floats.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Pairs;

/// The nearest values of bf16, those below the normal range zero.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn round_native(x: __m512) -> __m512 {
    // SAFETY: both types are 256 bits.
    let halves: __m256i = unsafe { std::mem::transmute(_mm512_cvtneps_pbh(x)) };
    _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
}

/// `c` and the two products of every word, added one after the other and rounded to nearest each time; what lies below the normal
/// range counts as zero.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn add_products(a: __m512, b: __m512, c: __m512) -> __m512 {
    // SAFETY: both types are 512 bits.
    let (a, b) = unsafe {
        (
            std::mem::transmute::<__m512, __m512bh>(a),
            std::mem::transmute::<__m512, __m512bh>(b),
        )
    };
    _mm512_dpbf16_ps(c, a, b)
}

/// AVX-512 that rounds to bf16 by one instruction.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512Bf16;

#[cfg(target_arch = "x86_64")]
impl Simd for Avx512Bf16 {
    type V = __m512;
    const ROWS: usize = Avx512::ROWS;
    const VECS: usize = Avx512::VECS;

    methods! {
        load(p: *const f32) -> Self::V = Avx512::load(p);
        store(p: *mut f32, v: Self::V) = Avx512::store(p, v);
        splat(x: f32) -> Self::V = Avx512::splat(x);
        add(a: Self::V, b: Self::V) -> Self::V = Avx512::add(a, b);
        sub(a: Self::V, b: Self::V) -> Self::V = Avx512::sub(a, b);
        mul(a: Self::V, b: Self::V) -> Self::V = Avx512::mul(a, b);
        max(a: Self::V, b: Self::V) -> Self::V = Avx512::max(a, b);
        above_zero(a: Self::V) -> u16 = Avx512::above_zero(a);
        where_set(bits: u16, a: Self::V) -> Self::V = Avx512::where_set(bits, a);
        load_halves(p: *const u16) -> Self::V = Avx512::load_halves(p);
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = Avx512::fma(a, b, c);
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = Avx512::fnma(a, b, c);
        round(x: Self::V) -> Self::V = round_native(x);
        prefetch(p: *const f32) = Avx512::prefetch(p);
    }
}

#[cfg(target_arch = "x86_64")]
impl Simd for Pairs {
    type V = __m512;
    const ROWS: usize = Avx512::ROWS;
    const VECS: usize = Avx512::VECS;
    const BLOCK: usize = LANES / 2;

    methods! {
        load(p: *const f32) -> Self::V = Avx512::load(p);
        store(p: *mut f32, v: Self::V) = Avx512::store(p, v);
        splat(x: f32) -> Self::V = Avx512::splat(x);
        add(a: Self::V, b: Self::V) -> Self::V = Avx512::add(a, b);
        sub(a: Self::V, b: Self::V) -> Self::V = Avx512::sub(a, b);
        mul(a: Self::V, b: Self::V) -> Self::V = Avx512::mul(a, b);
        max(a: Self::V, b: Self::V) -> Self::V = Avx512::max(a, b);
        above_zero(a: Self::V) -> u16 = Avx512::above_zero(a);
        where_set(bits: u16, a: Self::V) -> Self::V = Avx512::where_set(bits, a);
        load_halves(p: *const u16) -> Self::V = Avx512::load_halves(p);
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = add_products(a, b, c);
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V =
            Avx512::sub(c, add_products(a, b, Avx512::splat(0.0)));
        round(x: Self::V) -> Self::V = round_native(x);
        prefetch(p: *const f32) = Avx512::prefetch(p);
    }
}

/// A vector whose loads are rounded to bf16.
#[derive(Clone, Copy)]
pub(crate) struct Rounding<S>(S);

impl<S: Simd> Simd for Rounding<S> {
    type V = S::V;
    const ROWS: usize = S::ROWS;
    const VECS: usize = S::VECS;

    methods! {
        load(p: *const f32) -> Self::V = S::round(S::load(p));
        store(p: *mut f32, v: Self::V) = S::store(p, v);
        splat(x: f32) -> Self::V = S::splat(x);
        add(a: Self::V, b: Self::V) -> Self::V = S::add(a, b);
        sub(a: Self::V, b: Self::V) -> Self::V = S::sub(a, b);
        mul(a: Self::V, b: Self::V) -> Self::V = S::mul(a, b);
        max(a: Self::V, b: Self::V) -> Self::V = S::max(a, b);
        above_zero(a: Self::V) -> u16 = S::above_zero(a);
        where_set(bits: u16, a: Self::V) -> Self::V = S::where_set(bits, a);
        load_halves(p: *const u16) -> Self::V = S::load_halves(p);
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = S::fma(a, b, c);
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = S::fnma(a, b, c);
        round(x: Self::V) -> Self::V = S::round(x);
        prefetch(p: *const f32) = S::prefetch(p);
    }
}
