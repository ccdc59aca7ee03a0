//! One plane of an instance norm.
// unsafe: kernels run on raw pointers into planes that the caller owns.
#![allow(unsafe_code)]

use crate::isa::LANES;
use crate::simd::{Simd, simd_entry};

/// One plane.
pub(super) struct Forward {
    pub(super) input: *const f32,
    /// Or null.
    pub(super) residual: *const f32,
    pub(super) output: *mut f32,
    pub(super) statistics: *mut f32,
    pub(super) pixels: usize,
    pub(super) scale: f32,
    pub(super) shift: f32,
    pub(super) epsilon: f32,
    pub(super) relu: bool,
}

/// One plane.
pub(super) struct Backward {
    pub(super) input: *const f32,
    /// Null without a ReLU.
    pub(super) output: *const f32,
    pub(super) output_grad: *const f32,
    pub(super) input_grad: *mut f32,
    /// Or null.
    pub(super) residual_grad: *mut f32,
    pub(super) sums: *mut f32,
    pub(super) pixels: usize,
    pub(super) mean: f32,
    pub(super) inverse: f32,
    pub(super) scale: f32,
}

simd_entry!(
    /// Normalises the plane.
    ///
    /// # Safety
    /// The job's pointers cover the plane, whose output is written by this call alone.
    pub(super) forward = forward_plane(job: &Forward)
);

simd_entry!(
    /// The plane's gradients.
    ///
    /// # Safety
    /// As [`forward`].
    pub(super) backward = backward_plane(job: &Backward)
);

/// Vectors summed side by side, to hide the latency of an addition.
const CHAINS: usize = 4;

/// Runs the body for whole vectors, at the offset of each and with the chain it is summed in. A macro, because a closure
/// would not be compiled for the kernel's instruction set.
macro_rules! whole {
    ($rest:expr, |$p:ident, $chain:ident| $body:block) => {
        for i in 0..$rest / LANES {
            let ($p, $chain) = (i * LANES, i % CHAINS);
            $body
        }
    };
    ($rest:expr, |$p:ident| $body:block) => {
        for i in 0..$rest / LANES {
            let $p = i * LANES;
            $body
        }
    };
}

#[inline(always)]
unsafe fn total<S: Simd>(chains: [S::V; CHAINS]) -> f32 {
    unsafe {
        let sum = S::add(S::add(chains[0], chains[1]), S::add(chains[2], chains[3]));
        let mut lanes = [0.0f32; LANES];
        S::store(lanes.as_mut_ptr(), sum);
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                lanes[i] += lanes[i + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

#[inline(always)]
unsafe fn forward_plane<S: Simd>(job: &Forward) {
    unsafe {
        let count = job.pixels as f32;
        let rest = job.pixels / LANES * LANES;
        let mut sums = [S::splat(0.0); CHAINS];
        whole!(rest, |p, chain| {
            sums[chain] = S::add(sums[chain], S::load(job.input.add(p)));
        });
        let mut sum = total::<S>(sums);
        for p in rest..job.pixels {
            sum += *job.input.add(p);
        }
        let mean = sum / count;

        let means = S::splat(mean);
        let mut squares = [S::splat(0.0); CHAINS];
        whole!(rest, |p, chain| {
            let x = S::sub(S::load(job.input.add(p)), means);
            squares[chain] = S::fma(x, x, squares[chain]);
        });
        let mut square = total::<S>(squares);
        for p in rest..job.pixels {
            square += (*job.input.add(p) - mean).powi(2);
        }
        let inverse = 1.0 / (square / count + job.epsilon).sqrt();
        *job.statistics = mean;
        *job.statistics.add(1) = inverse;

        let factor = inverse * job.scale;
        let (factors, shifts, zero) = (S::splat(factor), S::splat(job.shift), S::splat(0.0));
        whole!(rest, |p| {
            let mut x = S::fma(S::sub(S::load(job.input.add(p)), means), factors, shifts);
            if !job.residual.is_null() {
                x = S::add(x, S::load(job.residual.add(p)));
            }
            if job.relu {
                x = S::max(zero, x);
            }
            S::store(job.output.add(p), x);
        });
        for p in rest..job.pixels {
            let mut x = (*job.input.add(p) - mean) * factor + job.shift;
            if !job.residual.is_null() {
                x += *job.residual.add(p);
            }
            if job.relu {
                x = if x < 0.0 { 0.0 } else { x };
            }
            *job.output.add(p) = x;
        }
    }
}

/// The gradient in front of the activation.
#[inline(always)]
unsafe fn vector<S: Simd>(job: &Backward, p: usize) -> S::V {
    unsafe {
        let grad = S::load(job.output_grad.add(p));
        if job.output.is_null() {
            grad
        } else {
            S::where_positive(S::load(job.output.add(p)), grad)
        }
    }
}

/// The same for one pixel.
#[inline(always)]
unsafe fn scalar(job: &Backward, p: usize) -> f32 {
    unsafe {
        if job.output.is_null() || *job.output.add(p) > 0.0 {
            *job.output_grad.add(p)
        } else {
            0.0
        }
    }
}

#[inline(always)]
unsafe fn backward_plane<S: Simd>(job: &Backward) {
    unsafe {
        let rest = job.pixels / LANES * LANES;
        let means = S::splat(job.mean);
        let mut sums = [S::splat(0.0); CHAINS];
        let mut products = [S::splat(0.0); CHAINS];
        whole!(rest, |p, chain| {
            let grad = vector::<S>(job, p);
            let x = S::sub(S::load(job.input.add(p)), means);
            sums[chain] = S::add(sums[chain], grad);
            products[chain] = S::fma(grad, x, products[chain]);
            if !job.residual_grad.is_null() {
                S::store(job.residual_grad.add(p), grad);
            }
        });
        let (mut sum, mut product) = (total::<S>(sums), total::<S>(products));
        for p in rest..job.pixels {
            let grad = scalar(job, p);
            sum += grad;
            product += grad * (*job.input.add(p) - job.mean);
            if !job.residual_grad.is_null() {
                *job.residual_grad.add(p) = grad;
            }
        }
        *job.sums = sum;
        *job.sums.add(1) = product * job.inverse;

        // dx = scale / std * (g - mean(g) - x^ mean(g x^)), x^ = (x - mean) / std
        let count = job.pixels as f32;
        let factor = job.scale * job.inverse;
        let slope = product / count * job.inverse * job.inverse;
        let level = sum / count;
        let (factors, slopes, levels) = (S::splat(factor), S::splat(slope), S::splat(level));
        whole!(rest, |p| {
            let x = S::sub(S::load(job.input.add(p)), means);
            let grad = S::fnma(x, slopes, S::sub(vector::<S>(job, p), levels));
            S::store(job.input_grad.add(p), S::mul(factors, grad));
        });
        for p in rest..job.pixels {
            let x = *job.input.add(p) - job.mean;
            *job.input_grad.add(p) = factor * (scalar(job, p) - level - x * slope);
        }
    }
}
