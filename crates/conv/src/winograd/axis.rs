//! The transforms, along one axis and along both.
//!
//! Interpolation points 0, ±1/√2, ±√2 and infinity: their rounding error is half that of the usual 0, ±1, ±2, about 1e-6
//! relative to the result, and no scale is needed for the first and last row.
// unsafe: the vector operations are, and squares of vectors lie in memory with strides.
// Loop indices count registers and strides at once.
#![allow(unsafe_code, clippy::needless_range_loop)]

use std::ops::Range;

use crate::simd::Simd;

/// Outputs of a tile along one axis.
pub(crate) const OUT: usize = 4;
/// Inputs of a tile along one axis.
pub(crate) const IN: usize = 6;
/// Weights along one axis.
pub(crate) const TAPS: usize = 3;
/// Products of a tile.
pub(crate) const POINTS: usize = IN * IN;

const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;

/// The transform of `FROM` vectors to `TO` vectors along one axis.
pub(super) type Axis<V, const FROM: usize, const TO: usize> = unsafe fn([V; FROM]) -> [V; TO];

/// A square of vectors in memory.
pub(super) struct Square<P> {
    /// The first vector, which need not exist where only some are read.
    at: P,
    /// Floats to the next row and to the next column.
    strides: [isize; 2],
    /// Rows and columns that are read where not all are: the other vectors are zero.
    inside: Option<[Range<usize>; 2]>,
}

impl<P> Square<P> {
    #[inline(always)]
    pub(super) fn new(at: P, row: isize, col: isize) -> Self {
        Self {
            at,
            strides: [row, col],
            inside: None,
        }
    }

    /// The points of a tile.
    #[inline(always)]
    pub(super) fn points(at: P, point_len: usize) -> Self {
        Self::new(at, (IN * point_len) as isize, point_len as isize)
    }

    #[inline(always)]
    pub(super) fn inside(self, rows: Range<usize>, cols: Range<usize>) -> Self {
        let inside = Some([rows, cols]);
        Self { inside, ..self }
    }

    #[inline(always)]
    fn offset(&self, i: usize, j: usize) -> isize {
        i as isize * self.strides[0] + j as isize * self.strides[1]
    }
}

impl Square<*const f32> {
    /// `M x`: the columns.
    ///
    /// # Safety
    /// The processor has the instructions, and the square can be read.
    #[inline(always)]
    pub(super) unsafe fn columns<S: Simd, const FROM: usize, const TO: usize>(
        &self,
        axis: Axis<S::V, FROM, TO>,
    ) -> [[S::V; FROM]; TO] {
        // SAFETY: the caller's promise.
        unsafe {
            let mut half = [[S::splat(0.0); FROM]; TO];
            for j in 0..FROM {
                let mut x = [S::splat(0.0); FROM];
                for i in 0..FROM {
                    if let Some([rows, cols]) = &self.inside
                        && !(rows.contains(&i) && cols.contains(&j))
                    {
                        continue;
                    }
                    x[i] = S::load(self.at.wrapping_offset(self.offset(i, j)));
                }
                let y = axis(x);
                for i in 0..TO {
                    half[i][j] = y[i];
                }
            }
            half
        }
    }

    /// Writes `M x M^T`: columns, then rows.
    ///
    /// # Safety
    /// The processor has the instructions, this square can be read and `to` be written.
    #[inline(always)]
    pub(super) unsafe fn transform<S: Simd, const FROM: usize, const TO: usize>(
        &self,
        axis: Axis<S::V, FROM, TO>,
        to: Square<*mut f32>,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let half = self.columns::<S, FROM, TO>(axis);
            for i in 0..TO {
                let y = axis(half[i]);
                for j in 0..TO {
                    S::store(to.at.offset(to.offset(i, j)), y[j]);
                }
            }
        }
    }
}

/// `a * x + b * y`
#[inline(always)]
unsafe fn mix<S: Simd>(a: f32, x: S::V, b: f32, y: S::V) -> S::V {
    // SAFETY: the caller's promise that the processor has the instructions.
    unsafe { S::fma(S::splat(b), y, S::mul(S::splat(a), x)) }
}

/// `B^T d`
#[inline(always)]
pub(super) unsafe fn input_axis<S: Simd>(d: [S::V; IN]) -> [S::V; IN] {
    // SAFETY: as for `mix`.
    unsafe {
        let (a, b) = (S::splat(A), S::splat(B));
        let (two, half, sum) = (S::splat(2.0), S::splat(0.5), S::splat(2.5));
        let even_a = S::fnma(two, d[2], d[4]);
        let odd_a = S::fnma(two, d[1], d[3]);
        let even_b = S::fnma(half, d[2], d[4]);
        let odd_b = S::fnma(half, d[1], d[3]);
        [
            S::fnma(sum, d[2], S::add(d[0], d[4])),
            S::fma(a, odd_a, even_a),
            S::fnma(a, odd_a, even_a),
            S::fma(b, odd_b, even_b),
            S::fnma(b, odd_b, even_b),
            S::fnma(sum, d[3], S::add(d[1], d[5])),
        ]
    }
}

/// `A^T m`
#[inline(always)]
pub(super) unsafe fn output_axis<S: Simd>(m: [S::V; IN]) -> [S::V; OUT] {
    // SAFETY: as for `mix`.
    unsafe {
        let (sum_a, sum_b) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
        let (dif_a, dif_b) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
        [
            S::add(m[0], S::add(sum_a, sum_b)),
            mix::<S>(A, dif_a, B, dif_b),
            mix::<S>(0.5, sum_a, 2.0, sum_b),
            S::add(mix::<S>(0.5 * A, dif_a, 2.0 * B, dif_b), m[5]),
        ]
    }
}

/// `A y`: the gradient of [`output_axis`].
#[inline(always)]
pub(super) unsafe fn gradient_axis<S: Simd>(y: [S::V; OUT]) -> [S::V; IN] {
    // SAFETY: as for `mix`.
    unsafe {
        let (a, b) = (S::splat(A), S::splat(B));
        let (two, half) = (S::splat(2.0), S::splat(0.5));
        let even_a = S::fma(half, y[2], y[0]);
        let odd_a = S::fma(half, y[3], y[1]);
        let even_b = S::fma(two, y[2], y[0]);
        let odd_b = S::fma(two, y[3], y[1]);
        [
            y[0],
            S::fma(a, odd_a, even_a),
            S::fnma(a, odd_a, even_a),
            S::fma(b, odd_b, even_b),
            S::fnma(b, odd_b, even_b),
            y[3],
        ]
    }
}

/// `G g`
#[inline(always)]
pub(super) unsafe fn weight_axis<S: Simd>(g: [S::V; TAPS]) -> [S::V; IN] {
    // SAFETY: as for `mix`.
    unsafe {
        let even_a = mix::<S>(1.0 / -1.5, g[0], 0.5 / -1.5, g[2]);
        let even_b = mix::<S>(1.0 / 6.0, g[0], 2.0 / 6.0, g[2]);
        let (odd_a, odd_b) = (S::splat(A / -1.5), S::splat(B / 6.0));
        [
            g[0],
            S::fma(odd_a, g[1], even_a),
            S::fnma(odd_a, g[1], even_a),
            S::fma(odd_b, g[1], even_b),
            S::fnma(odd_b, g[1], even_b),
            g[2],
        ]
    }
}

/// `G^T u`: the gradient of [`weight_axis`].
#[inline(always)]
pub(super) unsafe fn weight_gradient_axis<S: Simd>(u: [S::V; IN]) -> [S::V; TAPS] {
    // SAFETY: as for `mix`.
    unsafe {
        let (sum_a, sum_b) = (S::add(u[1], u[2]), S::add(u[3], u[4]));
        let (dif_a, dif_b) = (S::sub(u[1], u[2]), S::sub(u[3], u[4]));
        [
            S::add(u[0], mix::<S>(1.0 / -1.5, sum_a, 1.0 / 6.0, sum_b)),
            mix::<S>(A / -1.5, dif_a, B / 6.0, dif_b),
            S::add(u[5], mix::<S>(0.5 / -1.5, sum_a, 2.0 / 6.0, sum_b)),
        ]
    }
}
