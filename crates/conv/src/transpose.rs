//! Between planes of channels and blocks of sixteen channels.
// unsafe: vector intrinsics behind a runtime check, and raw pointers whose extent the functions state.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use crate::isa::{Isa, LANES};

/// `block[p * block_row + c] = planes[c * plane + p]` for `pixels` p and `channels` c up to 16; the other lanes of 16
/// become zero.
///
/// # Panics
/// If a slice is shorter than what is addressed.
pub(crate) fn to_block(
    isa: Isa,
    planes: &[f32],
    plane: usize,
    channels: usize,
    pixels: usize,
    block: &mut [f32],
    block_row: usize,
) {
    assert!(
        planes.len() >= (channels - 1) * plane + pixels
            && block.len() >= (pixels - 1) * block_row + LANES
    );
    let (planes, block) = (planes.as_ptr(), block.as_mut_ptr());
    let mut done = 0;
    // SAFETY: the extents were just checked, and other instruction sets than the portable one have AVX2.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if isa > Isa::Portable && channels == LANES {
            done = pixels / 8 * 8;
            squares([LANES, done], planes, plane, block, block_row);
        }
        for p in done..pixels {
            for c in 0..LANES {
                *block.add(p * block_row + c) = if c < channels {
                    *planes.add(c * plane + p)
                } else {
                    0.0
                };
            }
        }
    }
    let _ = isa;
}

/// `planes[c * plane + p] = block[p * block_row + c]`, the reverse of [`to_block`].
///
/// # Safety
/// Both pointers cover what is addressed, and the planes are written by this call alone.
pub(crate) unsafe fn from_block(
    isa: Isa,
    block: *const f32,
    block_row: usize,
    planes: *mut f32,
    plane: usize,
    channels: usize,
    pixels: usize,
) {
    let mut done = 0;
    // SAFETY: the caller's promise about the pointers; other instruction sets than the portable one have AVX2.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if isa > Isa::Portable && channels == LANES {
            done = pixels / 8 * 8;
            squares([done, LANES], block, block_row, planes, plane);
        }
        for c in 0..channels {
            for p in done..pixels {
                *planes.add(c * plane + p) = *block.add(p * block_row + c);
            }
        }
    }
    let _ = isa;
}

/// Transposes `rows` x `cols` floats, both multiples of 8.
///
/// # Safety
/// The processor has AVX2, and both pointers cover what is addressed.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn squares(
    [rows, cols]: [usize; 2],
    from: *const f32,
    from_row: usize,
    to: *mut f32,
    to_row: usize,
) {
    for col in (0..cols).step_by(8) {
        for row in (0..rows).step_by(8) {
            // SAFETY: the caller's promise.
            unsafe {
                let (from, to) = (from.add(row * from_row + col), to.add(col * to_row + row));
                square(from, from_row, to, to_row);
            }
        }
    }
}

/// Transposes 8 x 8 floats.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn square(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    // SAFETY: the caller's promise: both pointers reach 8 rows of 8 floats.
    unsafe {
        let mut r = [_mm256_setzero_ps(); 8];
        for (i, row) in r.iter_mut().enumerate() {
            *row = _mm256_loadu_ps(from.add(i * from_row));
        }
        let a0 = _mm256_unpacklo_ps(r[0], r[1]);
        let a1 = _mm256_unpackhi_ps(r[0], r[1]);
        let a2 = _mm256_unpacklo_ps(r[2], r[3]);
        let a3 = _mm256_unpackhi_ps(r[2], r[3]);
        let a4 = _mm256_unpacklo_ps(r[4], r[5]);
        let a5 = _mm256_unpackhi_ps(r[4], r[5]);
        let a6 = _mm256_unpacklo_ps(r[6], r[7]);
        let a7 = _mm256_unpackhi_ps(r[6], r[7]);
        let b0 = _mm256_shuffle_ps::<0x44>(a0, a2);
        let b1 = _mm256_shuffle_ps::<0xee>(a0, a2);
        let b2 = _mm256_shuffle_ps::<0x44>(a1, a3);
        let b3 = _mm256_shuffle_ps::<0xee>(a1, a3);
        let b4 = _mm256_shuffle_ps::<0x44>(a4, a6);
        let b5 = _mm256_shuffle_ps::<0xee>(a4, a6);
        let b6 = _mm256_shuffle_ps::<0x44>(a5, a7);
        let b7 = _mm256_shuffle_ps::<0xee>(a5, a7);
        _mm256_storeu_ps(to, _mm256_permute2f128_ps::<0x20>(b0, b4));
        _mm256_storeu_ps(to.add(to_row), _mm256_permute2f128_ps::<0x20>(b1, b5));
        _mm256_storeu_ps(to.add(2 * to_row), _mm256_permute2f128_ps::<0x20>(b2, b6));
        _mm256_storeu_ps(to.add(3 * to_row), _mm256_permute2f128_ps::<0x20>(b3, b7));
        _mm256_storeu_ps(to.add(4 * to_row), _mm256_permute2f128_ps::<0x31>(b0, b4));
        _mm256_storeu_ps(to.add(5 * to_row), _mm256_permute2f128_ps::<0x31>(b1, b5));
        _mm256_storeu_ps(to.add(6 * to_row), _mm256_permute2f128_ps::<0x31>(b2, b6));
        _mm256_storeu_ps(to.add(7 * to_row), _mm256_permute2f128_ps::<0x31>(b3, b7));
    }
}
