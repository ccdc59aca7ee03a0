//! The sixteen-lane vector every kernel is written against.
// unsafe: vector intrinsics are only defined on processors that have them. An `Isa` from `Isa::best` or `Isa::supported`, and no
// other is stored or handed on, says which this one has; the wrappers made by `simd_entry!` are the only way from an `Isa` to
// a kernel compiled for it.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use crate::isa::LANES;

/// A vector of sixteen floats. Methods are `unsafe` because an implementation may need instructions the processor lacks.
pub(crate) trait Simd: Copy {
    /// The vector.
    type V: Copy;
    /// Largest number of accumulator rows when the kernel keeps `VECS` vectors in each.
    const ROWS: usize;
    /// Vectors of an accumulator row: 2 or 1.
    const VECS: usize;
    /// Words that hold the channels of a block.
    const BLOCK: usize = LANES;

    unsafe fn load(p: *const f32) -> Self::V;
    unsafe fn store(p: *mut f32, v: Self::V);
    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// A bit for every lane, the first lowest: whether it is above 0.
    unsafe fn above_zero(a: Self::V) -> u16;
    /// `a` where the lane's bit is set, else 0.
    unsafe fn where_set(bits: u16, a: Self::V) -> Self::V;
    /// Sixteen values of bf16, each the upper half of a float.
    unsafe fn load_halves(p: *const u16) -> Self::V;
    /// `a * b + c`
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a * b`
    unsafe fn fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The nearest value of bf16, ties to even.
    unsafe fn round(x: Self::V) -> Self::V;
    /// Hints that the line at `p`, any address, is read soon.
    unsafe fn prefetch(p: *const f32);
}

/// The methods of an instruction set, each an expression of intrinsics.
macro_rules! methods {
    ($($name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)? = $body:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name($($arg: $ty),*) $(-> $out)? {
            // SAFETY: the caller's promise that the processor has the instructions, and that a pointer leads to 16 floats.
            unsafe { $body }
        }
    )*};
}

mod bf16;

#[cfg(target_arch = "x86_64")]
pub(crate) use bf16::{Avx512Bf16, Pairs};
pub(crate) use bf16::{Rounding, nearest_bf16};
#[cfg(target_arch = "x86_64")]
use bf16::{round_eight, round_sixteen};

/// Plain arrays.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

macro_rules! lanes {
    (|$i:ident| $e:expr) => {{
        let mut r = [0.0f32; LANES];
        let mut $i = 0;
        while $i < LANES {
            r[$i] = $e;
            $i += 1;
        }
        r
    }};
}

#[allow(
    unused_unsafe,
    reason = "arrays need none where pointers are not involved"
)]
impl Simd for Portable {
    type V = [f32; LANES];
    const ROWS: usize = 4;
    const VECS: usize = 1;

    methods! {
        load(p: *const f32) -> Self::V = p.cast::<Self::V>().read_unaligned();
        store(p: *mut f32, v: Self::V) = p.cast::<Self::V>().write_unaligned(v);
        splat(x: f32) -> Self::V = [x; LANES];
        add(a: Self::V, b: Self::V) -> Self::V = lanes!(|i| a[i] + b[i]);
        sub(a: Self::V, b: Self::V) -> Self::V = lanes!(|i| a[i] - b[i]);
        mul(a: Self::V, b: Self::V) -> Self::V = lanes!(|i| a[i] * b[i]);
        max(a: Self::V, b: Self::V) -> Self::V = lanes!(|i| if a[i] > b[i] { a[i] } else { b[i] });
        above_zero(a: Self::V) -> u16 = a.iter().rev().fold(0, |bits, x| bits << 1 | u16::from(*x > 0.0));
        where_set(bits: u16, a: Self::V) -> Self::V = lanes!(|i| if bits >> i & 1 == 1 { a[i] } else { 0.0 });
        load_halves(p: *const u16) -> Self::V = lanes!(|i| f32::from_bits(u32::from(p.add(i).read()) << 16));
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = lanes!(|i| a[i] * b[i] + c[i]);
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = lanes!(|i| c[i] - a[i] * b[i]);
        round(x: Self::V) -> Self::V = lanes!(|i| nearest_bf16(x[i]));
        prefetch(_p: *const f32) = ();
    }
}

/// AVX2 with FMA: a vector is two registers.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// A function of registers on both of a vector's.
#[cfg(target_arch = "x86_64")]
macro_rules! both {
    ($f:ident($($v:ident),*)) => {
        ($f($($v.0),*), $f($($v.1),*))
    };
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn eight_above_zero(a: __m256) -> i32 {
    // SAFETY: the caller's promise that the processor has AVX.
    unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps())) }
}

/// `a` where the lane's of the lower eight bits is set, else 0.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn eight_where_set(bits: u16, a: __m256) -> __m256 {
    // SAFETY: the caller's promise that the processor has AVX2.
    unsafe {
        let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
        let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(bits)), lanes);
        let set = _mm256_cmpeq_epi32(set, lanes);
        _mm256_and_ps(_mm256_castsi256_ps(set), a)
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn load_eight_halves(p: *const u16) -> __m256 {
    // SAFETY: the caller's promise that the processor has AVX2, and that `p` leads to eight values.
    unsafe {
        let halves = _mm256_cvtepu16_epi32(_mm_loadu_si128(p.cast()));
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves))
    }
}

#[cfg(target_arch = "x86_64")]
impl Simd for Avx2 {
    type V = (__m256, __m256);
    const ROWS: usize = 6;
    const VECS: usize = 1;

    methods! {
        load(p: *const f32) -> Self::V = (_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8)));
        store(p: *mut f32, v: Self::V) = {
            _mm256_storeu_ps(p, v.0);
            _mm256_storeu_ps(p.add(8), v.1);
        };
        splat(x: f32) -> Self::V = (_mm256_set1_ps(x), _mm256_set1_ps(x));
        add(a: Self::V, b: Self::V) -> Self::V = both!(_mm256_add_ps(a, b));
        sub(a: Self::V, b: Self::V) -> Self::V = both!(_mm256_sub_ps(a, b));
        mul(a: Self::V, b: Self::V) -> Self::V = both!(_mm256_mul_ps(a, b));
        max(a: Self::V, b: Self::V) -> Self::V = both!(_mm256_max_ps(a, b));
        above_zero(a: Self::V) -> u16 = (eight_above_zero(a.0) | eight_above_zero(a.1) << 8) as u16;
        where_set(bits: u16, a: Self::V) -> Self::V = (eight_where_set(bits, a.0), eight_where_set(bits >> 8, a.1));
        load_halves(p: *const u16) -> Self::V = (load_eight_halves(p), load_eight_halves(p.add(8)));
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = both!(_mm256_fmadd_ps(a, b, c));
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = both!(_mm256_fnmadd_ps(a, b, c));
        round(x: Self::V) -> Self::V = both!(round_eight(x));
        prefetch(p: *const f32) = _mm_prefetch::<_MM_HINT_T0>(p.cast());
    }
}

/// AVX-512F.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Avx512;

#[cfg(target_arch = "x86_64")]
impl Simd for Avx512 {
    type V = __m512;
    const ROWS: usize = 14;
    const VECS: usize = 2;

    methods! {
        load(p: *const f32) -> Self::V = _mm512_loadu_ps(p);
        store(p: *mut f32, v: Self::V) = _mm512_storeu_ps(p, v);
        splat(x: f32) -> Self::V = _mm512_set1_ps(x);
        add(a: Self::V, b: Self::V) -> Self::V = _mm512_add_ps(a, b);
        sub(a: Self::V, b: Self::V) -> Self::V = _mm512_sub_ps(a, b);
        mul(a: Self::V, b: Self::V) -> Self::V = _mm512_mul_ps(a, b);
        max(a: Self::V, b: Self::V) -> Self::V = _mm512_max_ps(a, b);
        above_zero(a: Self::V) -> u16 = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps());
        where_set(bits: u16, a: Self::V) -> Self::V = _mm512_maskz_mov_ps(bits, a);
        load_halves(p: *const u16) -> Self::V = {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
        };
        fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = _mm512_fmadd_ps(a, b, c);
        fnma(a: Self::V, b: Self::V, c: Self::V) -> Self::V = _mm512_fnmadd_ps(a, b, c);
        round(x: Self::V) -> Self::V = round_sixteen(x);
        prefetch(p: *const f32) = _mm_prefetch::<_MM_HINT_T0>(p.cast());
    }
}

/// Makes `unsafe fn name(isa, args)` that runs the generic kernel `generic::<S>(args)` compiled for that instruction set, which
/// the processor must have.
macro_rules! simd_entry {
    ($(#[$meta:meta])* $vis:vis $name:ident = $generic:ident ( $($arg:ident : $ty:ty),* $(,)? )) => {
        $(#[$meta])*
        $vis unsafe fn $name(isa: $crate::isa::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $generic::<$crate::simd::Avx512>($($arg),*) }
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $generic::<$crate::simd::Avx2>($($arg),*) }
            }
            // SAFETY: the caller's promise, which includes that the processor has the instruction set.
            unsafe {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    $crate::isa::Isa::Amx | $crate::isa::Isa::Avx512Bf16 | $crate::isa::Isa::Avx512 => avx512($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    $crate::isa::Isa::Avx2 => avx2($($arg),*),
                    _ => $generic::<$crate::simd::Portable>($($arg),*),
                }
            }
        }
    };
}
pub(crate) use simd_entry;

/// [`simd_entry!`] with a kernel of its own for processors that round to bf16 by one instruction.
macro_rules! rounding_entry {
    ($(#[$meta:meta])* $vis:vis $name:ident = $others:ident | $generic:ident ( $($arg:ident : $ty:ty),* $(,)? )) => {
        $crate::simd::simd_entry!($others = $generic($($arg: $ty),*));

        $(#[$meta])*
        $vis unsafe fn $name(isa: $crate::isa::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bf16,avx2,fma")]
            unsafe fn native($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $generic::<$crate::simd::Avx512Bf16>($($arg),*) }
            }
            // SAFETY: the caller's promise, which includes that the processor has the instruction set.
            unsafe {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    $crate::isa::Isa::Amx | $crate::isa::Isa::Avx512Bf16 => native($($arg),*),
                    _ => $others(isa, $($arg),*),
                }
            }
        }
    };
}
pub(crate) use rounding_entry;

/// Makes `unsafe fn name(multiplier, args)` that runs the generic kernel for what multiplies its operands.
macro_rules! product_entry {
    ($(#[$meta:meta])* $vis:vis $name:ident = $floats:ident | $generic:ident ( $($arg:ident : $ty:ty),* $(,)? )) => {
        $crate::simd::simd_entry!($floats = $generic($($arg: $ty),*));

        $(#[$meta])*
        $vis unsafe fn $name(multiplier: $crate::isa::Multiplier, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512bf16,avx2,fma")]
            unsafe fn pairs($($arg: $ty),*) {
                // SAFETY: the caller's promise.
                unsafe { $generic::<$crate::simd::Pairs>($($arg),*) }
            }
            // SAFETY: the caller's promise, which includes that the processor has the instructions.
            unsafe {
                match multiplier {
                    $crate::isa::Multiplier::Floats(isa) => $floats(isa, $($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    $crate::isa::Multiplier::Pairs => pairs($($arg),*),
                    #[cfg(not(target_arch = "x86_64"))]
                    $crate::isa::Multiplier::Pairs => unreachable!("no such processor multiplies pairs"),
                    $crate::isa::Multiplier::Tiles(_) => unreachable!("tiles are multiplied elsewhere"),
                }
            }
        }
    };
}
pub(crate) use product_entry;
