//! Instance norm, residual and ReLU on contiguous tensors, forward and backward.
// unsafe: the vector operations of the kernels are.
#![allow(unsafe_code)]

use crate::buffer::Buffer;
use crate::epilogue::Activation;
use crate::halves::Kept;
use crate::isa::{Isa, LANES};
use crate::parallel::{for_each, in_pool};

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
    pub input: Kept<'a>,
    /// Per channel.
    pub scale: &'a [f32],
    /// As the forward pass wrote them.
    pub statistics: &'a [f32],
    /// As the forward pass wrote it; unused without a ReLU.
    pub above_zero: &'a [u16],
    /// In the shape of the output.
    pub output_grad: &'a [f32],
}

/// Where the forward pass writes.
#[derive(Debug)]
pub struct NormOutputs<'a> {
    /// In the shape of the input.
    pub output: &'a mut [f32],
    /// Mean and `1 / sqrt(var + epsilon)` of every image and channel: `[batch, channels, 2]`.
    pub statistics: &'a mut [f32],
    /// Which outputs are above 0, where a backward pass through a ReLU follows: [`InstanceNorm::words`], a bit for every pixel.
    pub above_zero: Option<&'a mut [u16]>,
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
    /// The length of [`NormOutputs::above_zero`] for so many values.
    ///
    /// # Panics
    /// If they are not whole images.
    pub fn words(&self, values: usize) -> usize {
        self.planes(values) * self.pixels.div_ceil(LANES)
    }

    /// Normalises.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn forward(&self, read: NormForward<'_>, write: NormOutputs<'_>) {
        let NormOutputs {
            output,
            statistics,
            above_zero,
        } = write;
        let planes = self.planes(read.input.len());
        let words = above_zero.as_ref().map(|bits| bits.len());
        assert!(
            read.scale.len() == self.channels
                && read.shift.len() == self.channels
                && read.residual.is_none_or(|r| r.len() == read.input.len())
                && output.len() == read.input.len()
                && statistics.len() == 2 * planes
                && words.is_none_or(|words| words == self.words(read.input.len())),
            "slices of an instance norm do not fit its shape"
        );
        let isa = Isa::best();
        let mut bits = above_zero.map(|bits| bits.chunks_mut(self.pixels.div_ceil(LANES)));
        let outputs = output.chunks_mut(self.pixels);
        let outputs = outputs
            .zip(statistics.chunks_mut(2))
            .map(|(output, statistics)| {
                let above_zero = bits.as_mut().and_then(Iterator::next);
                (output, statistics, above_zero)
            });
        in_pool(|| {
            for_each(
                outputs.enumerate(),
                |(plane, (output, statistics, above_zero))| {
                    let job = Forward {
                        input: self.plane(read.input, plane),
                        residual: read.residual.map(|residual| self.plane(residual, plane)),
                        output,
                        above_zero,
                        statistics,
                        scale: read.scale[plane % self.channels],
                        shift: read.shift[plane % self.channels],
                        epsilon: self.epsilon,
                        relu: self.activation == Activation::Relu,
                    };
                    // SAFETY: all slices are one plane.
                    unsafe { forward(isa, job) };
                },
            );
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
                && (!relu || read.above_zero.len() == self.words(read.input.len()))
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
        let words = self.pixels.div_ceil(LANES);
        let mut sums = Buffer::stale(2 * planes);
        let mut residuals = write.residual.map(|to| to.chunks_mut(self.pixels));
        let inputs = write.input.chunks_mut(self.pixels);
        let outputs = inputs
            .zip(sums.chunks_mut(2))
            .map(|(input, sums)| (input, residuals.as_mut().and_then(Iterator::next), sums));
        let isa = Isa::best();
        in_pool(|| {
            for_each(
                outputs.enumerate(),
                |(plane, (input_grad, residual_grad, sums))| {
                    let job = Backward {
                        input: read.input.run(plane * self.pixels, self.pixels),
                        above_zero: relu.then(|| &read.above_zero[plane * words..][..words]),
                        output_grad: self.plane(read.output_grad, plane),
                        input_grad,
                        residual_grad,
                        sums,
                        mean: read.statistics[2 * plane],
                        inverse: read.statistics[2 * plane + 1],
                        scale: read.scale[plane % self.channels],
                    };
                    // SAFETY: all slices are one plane.
                    unsafe { backward(isa, job) };
                },
            );
        });
        write.scale.fill(0.0);
        write.shift.fill(0.0);
        for (plane, sums) in sums.chunks_exact(2).enumerate() {
            write.shift[plane % self.channels] += sums[0];
            write.scale[plane % self.channels] += sums[1];
        }
    }

    fn plane<'a>(&self, values: &'a [f32], plane: usize) -> &'a [f32] {
        &values[plane * self.pixels..][..self.pixels]
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
