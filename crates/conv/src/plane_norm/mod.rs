//! Instance norm, residual and ReLU on contiguous tensors, forward and backward.
// unsafe: tasks hand the kernels pointers to planes of their own.
#![allow(unsafe_code)]

use crate::buffer::Buffer;
use crate::epilogue::Activation;
use crate::isa::Isa;
use crate::parallel::{Shared, for_each, in_pool};

mod kernel;

use kernel::{Backward, Forward, backward, forward};

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
