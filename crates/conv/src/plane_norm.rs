//! Instance norm, residual and ReLU on contiguous tensors, forward and backward.
// unsafe: tasks hand the kernels pointers to planes of their own.
#![allow(unsafe_code)]

use crate::buffer::Buffer;
use crate::epilogue::Activation;
use crate::isa::{Isa, LANES};
use crate::parallel::{Shared, for_each, in_pool};
use crate::simd::{Simd, simd_entry};

/// `activation((x - mean) / sqrt(var + epsilon) * scale + shift + residual)` on contiguous `[batch, channels, pixels]`,
/// with mean and (biased) variance of each image and channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstanceNorm {
    /// Channels.
    pub channels: usize,
    /// Height times width.
    pub pixels: usize,
    /// What is added to the variance.
    pub epsilon: f32,
    /// What comes last.
    pub activation: Activation,
}

/// What the forward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct NormForward<'a> {
    /// `[batch, channels, pixels]`.
    pub input: &'a [f32],
    /// Per channel.
    pub scale: &'a [f32],
    /// Per channel.
    pub shift: &'a [f32],
    /// In the shape of the input.
    pub residual: Option<&'a [f32]>,
}

/// What the backward pass reads.
#[derive(Clone, Copy, Debug)]
pub struct NormBackward<'a> {
    /// `[batch, channels, pixels]`.
    pub input: &'a [f32],
    /// Per channel.
    pub scale: &'a [f32],
    /// As the forward pass wrote them.
    pub statistics: &'a [f32],
    /// The forward pass's output; unused without a ReLU.
    pub output: &'a [f32],
    /// In the shape of the output.
    pub output_grad: &'a [f32],
}

/// Where the backward pass writes.
#[derive(Debug)]
pub struct NormGradients<'a> {
    /// `[batch, channels, pixels]`.
    pub input: &'a mut [f32],
    /// In the shape of the input, if there was a residual and its gradient is wanted.
    pub residual: Option<&'a mut [f32]>,
    /// Per channel.
    pub scale: &'a mut [f32],
    /// Per channel.
    pub shift: &'a mut [f32],
}

impl InstanceNorm {
    /// Writes the output, and mean and `1 / sqrt(var + epsilon)` of every image and channel: `[batch, channels, 2]`.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn forward(&self, read: NormForward<'_>, output: &mut [f32], statistics: &mut [f32]) {
        let planes = self.planes(read.input.len());
        assert!(
            read.scale.len() == self.channels
                && read.shift.len() == self.channels
                && read.residual.is_none_or(|r| r.len() == read.input.len())
                && output.len() == read.input.len()
                && statistics.len() == 2 * planes,
            "slices of an instance norm do not fit its shape"
        );
        let (out, statistics) = (Shared::new(output), Shared::new(statistics));
        let (isa, residual) = (Isa::best(), read.residual);
        in_pool(|| {
            for_each(planes, |plane| {
                let at = plane * self.pixels;
                // The plane is this task's own.
                unsafe {
                    let job = Forward {
                        input: read.input[at..].as_ptr(),
                        residual: residual.map_or(std::ptr::null(), |r| r[at..].as_ptr()),
                        output: out.at(at),
                        statistics: statistics.at(2 * plane),
                        pixels: self.pixels,
                        scale: read.scale[plane % self.channels],
                        shift: read.shift[plane % self.channels],
                        epsilon: self.epsilon,
                        relu: self.activation == Activation::Relu,
                    };
                    forward(isa, &job);
                }
            });
        });
    }

    /// Writes the gradients with respect to input, residual, scale and shift.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn backward(&self, read: NormBackward<'_>, write: NormGradients<'_>) {
        let planes = self.planes(read.input.len());
        let relu = self.activation == Activation::Relu;
        assert!(
            read.scale.len() == self.channels
                && read.statistics.len() == 2 * planes
                && (!relu || read.output.len() == read.input.len())
                && read.output_grad.len() == read.input.len()
                && write.input.len() == read.input.len()
                && write
                    .residual
                    .as_ref()
                    .is_none_or(|r| r.len() == read.input.len())
                && write.scale.len() == self.channels
                && write.shift.len() == self.channels,
            "slices of an instance norm's gradients do not fit its shape"
        );
        let mut sums = Buffer::stale(2 * planes);
        let (to_input, to_sums) = (Shared::new(write.input), Shared::new(&mut sums));
        let to_residual = write.residual.map(Shared::new);
        let isa = Isa::best();
        in_pool(|| {
            for_each(planes, |plane| {
                let at = plane * self.pixels;
                // The plane is this task's own.
                unsafe {
                    let job = Backward {
                        input: read.input[at..].as_ptr(),
                        output: if relu {
                            read.output[at..].as_ptr()
                        } else {
                            std::ptr::null()
                        },
                        output_grad: read.output_grad[at..].as_ptr(),
                        input_grad: to_input.at(at),
                        residual_grad: match to_residual {
                            Some(to) => to.at(at),
                            None => std::ptr::null_mut(),
                        },
                        sums: to_sums.at(2 * plane),
                        pixels: self.pixels,
                        mean: read.statistics[2 * plane],
                        inverse: read.statistics[2 * plane + 1],
                        scale: read.scale[plane % self.channels],
                    };
                    backward(isa, &job);
                }
            });
        });
        write.scale.fill(0.0);
        write.shift.fill(0.0);
        for (plane, sums) in sums.chunks_exact(2).enumerate() {
            write.shift[plane % self.channels] += sums[0];
            write.scale[plane % self.channels] += sums[1];
        }
    }

    fn planes(&self, len: usize) -> usize {
        let image = self.channels * self.pixels;
        assert!(
            image > 0 && len.is_multiple_of(image),
            "an instance norm of {} channels and {} pixels got {len} values",
            self.channels,
            self.pixels
        );
        len / self.pixels
    }
}

/// One plane.
struct Forward {
    input: *const f32,
    /// Or null.
    residual: *const f32,
    output: *mut f32,
    statistics: *mut f32,
    pixels: usize,
    scale: f32,
    shift: f32,
    epsilon: f32,
    relu: bool,
}

/// One plane.
struct Backward {
    input: *const f32,
    /// Null without a ReLU.
    output: *const f32,
    output_grad: *const f32,
    input_grad: *mut f32,
    /// Or null.
    residual_grad: *mut f32,
    sums: *mut f32,
    pixels: usize,
    mean: f32,
    inverse: f32,
    scale: f32,
}

simd_entry!(
    /// Normalises the plane.
    ///
    /// # Safety
    /// The job's pointers cover the plane, whose output is written by this call alone.
    forward = forward_plane(job: &Forward)
);

simd_entry!(
    /// The plane's gradients.
    ///
    /// # Safety
    /// As [`forward`].
    backward = backward_plane(job: &Backward)
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
