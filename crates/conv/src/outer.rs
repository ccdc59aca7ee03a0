//! The multiplying kernel of the weight gradient: sums over pixels (or Winograd tiles) of outer products of channels.
// unsafe: raw pointers with strides; `Outer` states what they must cover.
// Loop indices count registers and strides at once.
#![allow(unsafe_code, clippy::needless_range_loop)]

use crate::isa::LANES;
use crate::simd::{Simd, product_entry};
use crate::tile::PANEL;

/// `out[i][k] (+)= sum over lines l and steps s: a[l * a_line + s * a_step + i] * b[l * b_line + s * b_step + k]` for
/// the 16 channels i of a block and the 16 * `vecs` channels k; the second vector of k lies `b_vec` further. Of pairs, every step is
/// of two pixels, both of whose products are summed.
pub(crate) struct Outer {
    pub(crate) a: *const f32,
    pub(crate) a_step: usize,
    pub(crate) a_line: usize,
    pub(crate) b: *const f32,
    pub(crate) b_step: usize,
    pub(crate) b_line: usize,
    pub(crate) b_vec: usize,
    pub(crate) steps: usize,
    pub(crate) lines: usize,
    pub(crate) vecs: usize,
    /// 16 rows of [`PANEL`] floats.
    pub(crate) out: *mut f32,
    /// Add to what `out` holds.
    pub(crate) accumulate: bool,
}

product_entry!(
    /// Computes the sums.
    ///
    /// # Safety
    /// The processor has the multiplier's instructions, all places that the fields address are valid, and `out` is written by this
    /// call alone.
    pub(crate) run_outer = outer_of_floats | outer(o: &Outer)
);

#[inline(always)]
unsafe fn outer<S: Simd>(o: &Outer) {
    let step = if S::VECS == 2 { 8 } else { 4 };
    for lane in (0..LANES).step_by(step) {
        // SAFETY: the caller's promise; lanes and vectors are those of the block.
        unsafe {
            // What another number of registers would use is not compiled.
            if const { S::VECS == 2 } {
                match o.vecs {
                    2 => sums::<S, 8, 2>(o, lane, 0),
                    _ => sums::<S, 8, 1>(o, lane, 0),
                }
            } else {
                for vec in 0..o.vecs {
                    sums::<S, 4, 1>(o, lane, vec);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn sums<S: Simd, const MR: usize, const NV: usize>(o: &Outer, lane: usize, vec: usize) {
    // SAFETY: the caller's promise: `Outer` says what its pointers cover.
    unsafe {
        let mut acc = [[S::splat(0.0); NV]; MR];
        for line in 0..o.lines {
            let mut a = o.a.add(line * o.a_line + lane);
            let mut b = o.b.add(line * o.b_line + vec * o.b_vec);
            for _ in 0..o.steps {
                let mut w = [S::splat(0.0); NV];
                for v in 0..NV {
                    w[v] = S::load(b.wrapping_add(v * o.b_vec));
                }
                for r in 0..MR {
                    let x = S::splat(*a.add(r));
                    for v in 0..NV {
                        acc[r][v] = S::fma(x, w[v], acc[r][v]);
                    }
                }
                a = a.wrapping_add(o.a_step);
                b = b.wrapping_add(o.b_step);
            }
        }
        let out = o.out.add(lane * PANEL + vec * LANES);
        for r in 0..MR {
            for v in 0..NV {
                let to = out.add(r * PANEL + v * LANES);
                let sum = if o.accumulate {
                    S::add(acc[r][v], S::load(to))
                } else {
                    acc[r][v]
                };
                S::store(to, sum);
            }
        }
    }
}
