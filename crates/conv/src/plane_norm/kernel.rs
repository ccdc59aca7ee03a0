//! One plane of an instance norm.
// unsafe: the vector operations are.
#![allow(unsafe_code)]

use crate::halves::{Kept, float};
use crate::isa::LANES;
use crate::simd::{Simd, simd_entry};

/// One plane.
pub(super) struct Forward<'a> {
    pub(super) input: &'a [f32],
    pub(super) residual: Option<&'a [f32]>,
    pub(super) output: &'a mut [f32],
    /// With a ReLU, where it is wanted: a bit for every pixel whose output is above 0.
    pub(super) above_zero: Option<&'a mut [u16]>,
    /// Mean and inverse deviation.
    pub(super) statistics: &'a mut [f32],
    pub(super) scale: f32,
    pub(super) shift: f32,
    pub(super) epsilon: f32,
    pub(super) relu: bool,
}

/// One plane.
pub(super) struct Backward<'a> {
    pub(super) input: Kept<'a>,
    /// With a ReLU: a bit for every pixel whose output is above 0.
    pub(super) above_zero: Option<&'a [u16]>,
    pub(super) output_grad: &'a [f32],
    pub(super) input_grad: &'a mut [f32],
    pub(super) residual_grad: Option<&'a mut [f32]>,
    /// The gradients of shift and scale.
    pub(super) sums: &'a mut [f32],
    pub(super) mean: f32,
    pub(super) inverse: f32,
    pub(super) scale: f32,
}

simd_entry!(
    /// Normalises the plane.
    ///
    /// # Safety
    /// Input, output and residual are of one length, and there is a bit for every pixel.
    pub(super) forward = forward_plane(job: Forward<'_>)
);

simd_entry!(
    /// The plane's gradients.
    ///
    /// # Safety
    /// The inputs and all gradients but the sums are of one length, and there is a bit for every pixel.
    pub(super) backward = backward_plane(job: Backward<'_>)
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
    // SAFETY: the caller's promise that the processor has the instructions.
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
unsafe fn forward_plane<S: Simd>(mut job: Forward<'_>) {
    let (input, residual) = (job.input, job.residual);
    let count = input.len() as f32;
    let rest = input.len() / LANES * LANES;
    // SAFETY: the caller's promise; whole vectors end before `rest`.
    unsafe {
        let mut sums = [S::splat(0.0); CHAINS];
        whole!(rest, |p, chain| {
            sums[chain] = S::add(sums[chain], S::load(input.as_ptr().add(p)));
        });
        let mut sum = total::<S>(sums);
        for x in &input[rest..] {
            sum += x;
        }
        let mean = sum / count;

        let means = S::splat(mean);
        let mut squares = [S::splat(0.0); CHAINS];
        whole!(rest, |p, chain| {
            let x = S::sub(S::load(input.as_ptr().add(p)), means);
            squares[chain] = S::fma(x, x, squares[chain]);
        });
        let mut square = total::<S>(squares);
        for x in &input[rest..] {
            square += (x - mean).powi(2);
        }
        let inverse = 1.0 / (square / count + job.epsilon).sqrt();
        job.statistics.copy_from_slice(&[mean, inverse]);

        let factor = inverse * job.scale;
        let (factors, shifts, zero) = (S::splat(factor), S::splat(job.shift), S::splat(0.0));
        let output = job.output.as_mut_ptr();
        whole!(rest, |p| {
            let x = S::sub(S::load(input.as_ptr().add(p)), means);
            let mut x = S::fma(x, factors, shifts);
            if let Some(residual) = residual {
                x = S::add(x, S::load(residual.as_ptr().add(p)));
            }
            if job.relu {
                x = S::max(zero, x);
            }
            S::store(output.add(p), x);
            if let Some(above_zero) = &mut job.above_zero {
                above_zero[p / LANES] = S::above_zero(x);
            }
        });
        if let Some(last) = job
            .above_zero
            .as_mut()
            .and_then(|bits| bits.get_mut(rest / LANES))
        {
            *last = 0;
        }
        for p in rest..input.len() {
            let mut x = (input[p] - mean) * factor + job.shift;
            if let Some(residual) = residual {
                x += residual[p];
            }
            if job.relu {
                x = if x < 0.0 { 0.0 } else { x };
            }
            job.output[p] = x;
            if let Some(above_zero) = &mut job.above_zero {
                above_zero[p / LANES] |= u16::from(x > 0.0) << (p - rest);
            }
        }
    }
}

/// The values of a plane, floats or bf16.
trait Values: Copy {
    /// Those from `p` on.
    unsafe fn vector<S: Simd>(self, p: usize) -> S::V;
    fn at(self, p: usize) -> f32;
}

impl Values for &[f32] {
    #[inline(always)]
    unsafe fn vector<S: Simd>(self, p: usize) -> S::V {
        // SAFETY: the caller's promise that a whole vector begins at `p`.
        unsafe { S::load(self.as_ptr().add(p)) }
    }

    #[inline(always)]
    fn at(self, p: usize) -> f32 {
        self[p]
    }
}

impl Values for &[u16] {
    #[inline(always)]
    unsafe fn vector<S: Simd>(self, p: usize) -> S::V {
        // SAFETY: the caller's promise that a whole vector begins at `p`.
        unsafe { S::load_halves(self.as_ptr().add(p)) }
    }

    #[inline(always)]
    fn at(self, p: usize) -> f32 {
        float(self[p])
    }
}

/// The gradient in front of the activation.
#[inline(always)]
unsafe fn vector<S: Simd>(grad: &[f32], above_zero: Option<&[u16]>, p: usize) -> S::V {
    // SAFETY: the caller's promise that the gradient goes on with a whole vector at `p`.
    unsafe {
        let grad = S::load(grad.as_ptr().add(p));
        match above_zero {
            None => grad,
            Some(above_zero) => S::where_set(above_zero[p / LANES], grad),
        }
    }
}

/// The same for one pixel.
#[inline(always)]
fn scalar(grad: &[f32], above_zero: Option<&[u16]>, p: usize) -> f32 {
    if above_zero.is_none_or(|bits| bits[p / LANES] >> (p % LANES) & 1 == 1) {
        grad[p]
    } else {
        0.0
    }
}

#[inline(always)]
unsafe fn backward_plane<S: Simd>(job: Backward<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match job.input {
            Kept::Floats(input) => gradients::<S, _>(input, job),
            Kept::Halves(input) => gradients::<S, _>(input, job),
        }
    }
}

#[inline(always)]
unsafe fn gradients<S: Simd, I: Values>(input: I, mut job: Backward<'_>) {
    let (above_zero, output_grad) = (job.above_zero, job.output_grad);
    let pixels = output_grad.len();
    let count = pixels as f32;
    let rest = pixels / LANES * LANES;
    // SAFETY: the caller's promise; whole vectors end before `rest`.
    unsafe {
        let means = S::splat(job.mean);
        let mut sums = [S::splat(0.0); CHAINS];
        let mut products = [S::splat(0.0); CHAINS];
        whole!(rest, |p, chain| {
            let grad = vector::<S>(output_grad, above_zero, p);
            let x = S::sub(input.vector::<S>(p), means);
            sums[chain] = S::add(sums[chain], grad);
            products[chain] = S::fma(grad, x, products[chain]);
            if let Some(to) = &mut job.residual_grad {
                S::store(to.as_mut_ptr().add(p), grad);
            }
        });
        let (mut sum, mut product) = (total::<S>(sums), total::<S>(products));
        for p in rest..pixels {
            let grad = scalar(output_grad, above_zero, p);
            sum += grad;
            product += grad * (input.at(p) - job.mean);
            if let Some(to) = &mut job.residual_grad {
                to[p] = grad;
            }
        }
        job.sums.copy_from_slice(&[sum, product * job.inverse]);

        // dx = scale / std * (g - mean(g) - x^ mean(g x^)), x^ = (x - mean) / std
        let factor = job.scale * job.inverse;
        let slope = product / count * job.inverse * job.inverse;
        let level = sum / count;
        let (factors, slopes, levels) = (S::splat(factor), S::splat(slope), S::splat(level));
        let to = job.input_grad.as_mut_ptr();
        whole!(rest, |p| {
            let x = S::sub(input.vector::<S>(p), means);
            let grad = S::sub(vector::<S>(output_grad, above_zero, p), levels);
            S::store(to.add(p), S::mul(factors, S::fnma(x, slopes, grad)));
        });
        for p in rest..pixels {
            let (x, grad) = (input.at(p) - job.mean, scalar(output_grad, above_zero, p));
            job.input_grad[p] = factor * (grad - level - x * slope);
        }
    }
}
