//! The one multiplying kernel of the forward direction: rows of pixels (or Winograd tiles) times a panel of weights.
// unsafe: raw pointers with strides; `Tile` states what they must cover.
// Loop indices count registers and strides at once; conditions of constants stand alone, so that what they rule out is not compiled.
#![allow(
    unsafe_code,
    clippy::needless_range_loop,
    clippy::collapsible_if,
    clippy::collapsible_match
)]

use crate::isa::{LANES, Multiplier};
use crate::simd::{Simd, product_entry};
use crate::tiles;

/// Output channels of a weight panel.
pub(crate) const PANEL: usize = 2 * LANES;

/// Rows of a panel that are prefetched ahead of their use: the processor's own prefetching ends at a page.
const AHEAD: usize = 64;

/// `out[r][k] (+)= sum over taps t and c: a[r * a_row + t.a + c] * panel[t.panel + 32 * c + k]` for `rows` rows of every line and the
/// 16 * `vecs` channels k, then bias, residual and ReLU. Of pairs, c counts words, both of whose products are summed.
#[derive(Clone, Copy)]
pub(crate) struct Tile<'a> {
    /// The first row of inputs; may lie outside the buffer where every tap leads back into it.
    pub(crate) a: *const f32,
    /// Words between rows of `a`.
    pub(crate) a_row: usize,
    pub(crate) taps: &'a [Tap],
    /// Consecutive words of a tap.
    pub(crate) tap_len: usize,
    /// Rows of [`PANEL`] weights.
    pub(crate) panel: *const f32,
    pub(crate) out: *mut f32,
    /// Floats between rows of `out`.
    pub(crate) out_row: usize,
    /// Floats between the two vectors of a row of `out`.
    pub(crate) out_vec: usize,
    pub(crate) rows: usize,
    pub(crate) lines: usize,
    /// Words between lines of `a`, where there are several.
    pub(crate) a_line: usize,
    /// Floats between lines of `out`.
    pub(crate) out_line: usize,
    /// Vectors of 16 channels to compute: 1 or 2.
    pub(crate) vecs: usize,
    /// Start from what `out` holds: the sum is then the same however the taps are split, bit for bit but where tiles multiply.
    pub(crate) accumulate: bool,
    pub(crate) finish: Finish<'a>,
}

/// Where a tap finds its inputs and its weights.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Tap {
    /// Offset in words from a row's start.
    pub(crate) a: isize,
    /// Offset in words from the panel's start.
    pub(crate) panel: usize,
}

/// What is done to a finished sum before it is stored.
#[derive(Clone, Copy, Default)]
pub(crate) struct Finish<'a> {
    /// 32 floats.
    pub(crate) bias: Option<&'a [f32]>,
    /// Round the sum to bf16 first.
    pub(crate) round: bool,
    /// Added to the result; addressed like the output.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) relu: bool,
}

impl Finish<'_> {
    /// Whether sums stay as they are.
    pub(crate) fn is_nothing(&self) -> bool {
        self.bias.is_none() && !self.round && self.residual.is_none() && !self.relu
    }
}

/// Computes the tile.
///
/// # Safety
/// The processor has the multiplier's instructions, all places that the fields address are valid, and `out` is written by this
/// call alone.
pub(crate) unsafe fn run_tile(multiplier: Multiplier, t: &Tile<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match multiplier {
            Multiplier::Tiles(isa) => tiles::run(isa, t),
            _ => run_rows(multiplier, t),
        }
    }
}

product_entry!(
    /// Computes the tile row by row.
    ///
    /// # Safety
    /// That of [`run_tile`].
    run_rows = tile_of_floats | tile(t: &Tile<'_>)
);

#[inline(always)]
unsafe fn tile<S: Simd>(t: &Tile<'_>) {
    for line in 0..t.lines {
        let at = line * t.out_line;
        let t = Tile {
            a: t.a.wrapping_add(line * t.a_line),
            out: t.out.wrapping_add(at),
            finish: t.finish.shifted(at),
            ..*t
        };
        // SAFETY: the caller's promise; the line is one of the tile's.
        unsafe { one_line::<S>(&t) };
    }
}

#[inline(always)]
unsafe fn one_line<S: Simd>(t: &Tile<'_>) {
    // Rows in equal shares: a short last chunk would run at the latency of the multiplier.
    let chunks = t.rows.div_ceil(S::ROWS);
    for chunk in 0..chunks {
        let first = t.rows * chunk / chunks;
        let rows = t.rows * (chunk + 1) / chunks - first;
        // SAFETY: the caller's promise; these rows and vectors are among the tile's.
        unsafe {
            if const { S::VECS == 2 } {
                if t.vecs == 2 {
                    sized::<S, 2>(t, first, rows, 0);
                    continue;
                }
            }
            for vec in 0..t.vecs {
                sized::<S, 1>(t, first, rows, vec);
            }
        }
    }
}

#[inline(always)]
unsafe fn sized<S: Simd, const NV: usize>(t: &Tile<'_>, first: usize, rows: usize, vec: usize) {
    macro_rules! pick {
        ($($n:literal)*) => {
            match rows {
                $($n => if const { $n <= S::ROWS } {
                    // SAFETY: the caller's promise.
                    unsafe { strided::<S, NV, $n>(t, first, vec) }
                },)*
                _ => {}
            }
        };
    }
    pick!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

/// Known row strides become address immediates instead of registers.
#[inline(always)]
unsafe fn strided<S: Simd, const NV: usize, const MR: usize>(
    t: &Tile<'_>,
    first: usize,
    vec: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if t.a_row == 16 {
            return rows::<S, NV, MR, 16>(t, first, vec);
        }
        if const { S::BLOCK == 8 } {
            if t.a_row == 8 {
                return rows::<S, NV, MR, 8>(t, first, vec);
            }
        } else if t.a_row == 32 {
            return rows::<S, NV, MR, 32>(t, first, vec);
        }
        rows::<S, NV, MR, 0>(t, first, vec)
    }
}

#[inline(always)]
unsafe fn rows<S: Simd, const NV: usize, const MR: usize, const ROW: usize>(
    t: &Tile<'_>,
    first: usize,
    vec: usize,
) {
    // SAFETY: the caller's promise: `Tile` says what its pointers cover, and `finish` reaches as far as the output does.
    unsafe {
        let a_row = if ROW == 0 { t.a_row } else { ROW };
        let a0 = t.a.wrapping_add(first * a_row);
        let out = t.out.add(first * t.out_row + vec * t.out_vec);
        let mut acc = [[S::splat(0.0); NV]; MR];
        if t.accumulate {
            for r in 0..MR {
                for v in 0..NV {
                    acc[r][v] = S::load(out.add(r * t.out_row + v * t.out_vec));
                }
            }
        }
        for tap in t.taps {
            let mut a = a0.wrapping_offset(tap.a);
            let mut panel = t.panel.add(tap.panel + vec * LANES);
            for _ in 0..t.tap_len {
                let mut w = [S::splat(0.0); NV];
                for v in 0..NV {
                    w[v] = S::load(panel.add(v * LANES));
                }
                for v in 0..NV {
                    S::prefetch(panel.wrapping_add(AHEAD * PANEL + v * LANES));
                }
                for r in 0..MR {
                    let x = S::splat(*a.add(r * a_row));
                    for v in 0..NV {
                        acc[r][v] = S::fma(x, w[v], acc[r][v]);
                    }
                }
                a = a.wrapping_add(1);
                panel = panel.wrapping_add(PANEL);
            }
        }
        let finish = t.finish;
        if finish.round {
            for row in &mut acc {
                for x in row.iter_mut() {
                    *x = S::round(*x);
                }
            }
        }
        if let Some(bias) = finish.bias {
            for v in 0..NV {
                let bias = S::load(bias.as_ptr().add((vec + v) * LANES));
                for row in &mut acc {
                    row[v] = S::add(row[v], bias);
                }
            }
        }
        if let Some(residual) = finish.residual {
            let residual = residual.as_ptr();
            let residual = residual.add(first * t.out_row + vec * t.out_vec);
            for r in 0..MR {
                for v in 0..NV {
                    acc[r][v] = S::add(
                        acc[r][v],
                        S::load(residual.add(r * t.out_row + v * t.out_vec)),
                    );
                }
            }
        }
        if finish.relu {
            for row in &mut acc {
                for x in row.iter_mut() {
                    // The second operand wins where one is not a number.
                    *x = S::max(S::splat(0.0), *x);
                }
            }
        }
        for r in 0..MR {
            for v in 0..NV {
                S::store(out.add(r * t.out_row + v * t.out_vec), acc[r][v]);
            }
        }
    }
}
