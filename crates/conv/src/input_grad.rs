//! The gradient with respect to the input, which is also a transposed convolution.

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::direct::Plan;
use crate::epilogue::{Activation, Epilogue};
use crate::images::by_images;
use crate::isa::LANES;
use crate::packed::{PackedConv2d, Panels};
use crate::parallel::in_pool;
use crate::weights::pack_bias;
use crate::winograd::{self, Prepared, Source, Weights};

impl Conv2d {
    /// Gradient with respect to the input `[batch, c_in, height, width]`, `size` = `[batch, height, width]`, from that of
    /// the output.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn input_grad(
        &self,
        output_grad: &[f32],
        size: [usize; 3],
        weight: &[f32],
        input_grad: &mut [f32],
    ) {
        in_pool(|| {
            let Some(images) = self.images_per_task(size) else {
                let grad = self.blocked_output(output_grad, size);
                return self.blocked_input_grad(&grad, size, weight, input_grad);
            };
            let [batch, height, width] = size;
            if self.uses_winograd() {
                let packed = self.pack_mirrored(weight);
                by_images(
                    self.isa,
                    images,
                    batch,
                    output_grad,
                    input_grad,
                    |part, count| {
                        packed.forward_nchw(part, [count, height, width], Activation::Identity)
                    },
                );
            } else {
                let packed = self.pack_transposed(weight, None);
                by_images(
                    self.isa,
                    images,
                    batch,
                    output_grad,
                    input_grad,
                    |part, count| {
                        let grad = self.blocked_output(part, [count, height, width]);
                        packed.forward_to(&grad, [height, width], None, Activation::Identity)
                    },
                );
            }
        });
    }

    /// Both gradients: [`Self::input_grad`] and [`Self::weight_grad`], cheaper than one after the other.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn backward(
        &self,
        input: &[f32],
        size: [usize; 3],
        weight: &[f32],
        output_grad: &[f32],
        input_grad: &mut [f32],
        weight_grad: &mut [f32],
    ) {
        in_pool(|| {
            let grad = self.blocked_output(output_grad, size);
            self.blocked_input_grad(&grad, size, weight, input_grad);
            self.blocked_weight_grad(&self.blocked_input(input, size), &grad, weight_grad);
        });
    }

    fn blocked_input_grad(
        &self,
        grad: &Blocked,
        size: [usize; 3],
        weight: &[f32],
        input_grad: &mut [f32],
    ) {
        let to = if self.uses_winograd() {
            let mut to = Blocked::stale(size[0], self.c_in, size[1], size[2]);
            let source = Source::View {
                view: self.view(weight).swapped(),
                mirror: true,
            };
            winograd::run(
                self.isa,
                grad,
                Weights::Fresh(source),
                Epilogue::default(),
                &mut to,
            );
            to
        } else {
            let packed = self.pack_transposed(weight, None);
            packed.forward_to(grad, [size[1], size[2]], None, Activation::Identity)
        };
        to.to_nchw_with(self.isa, input_grad);
    }

    /// The 3x3 convolution from output gradients to input gradients.
    fn pack_mirrored(&self, weight: &[f32]) -> PackedConv2d {
        let conv = Self {
            c_in: self.c_out,
            c_out: self.c_in,
            ..*self
        };
        let weights = Panels::Winograd(Prepared::new(self.isa, self.view(weight).swapped(), true));
        PackedConv2d {
            conv,
            weights,
            bias: None,
        }
    }

    /// Packs the weights for the map from output gradients to input gradients.
    pub(crate) fn pack_transposed(&self, weight: &[f32], bias: Option<&[f32]>) -> PackedTransposed {
        PackedTransposed {
            conv: *self,
            panels: self.view(weight).swapped().pack_blocked(self.isa),
            bias: bias.map(|bias| pack_bias(bias, self.c_in)),
        }
    }

    /// The input pixels of one phase: those at `phase` plus multiples of the stride share their taps.
    fn phase(&self, [height, width]: [usize; 2], grad: [usize; 2], phase: [usize; 2]) -> Plan {
        let from = |phase: usize| (phase + self.padding) as isize;
        let taps = |phase: usize| -> Vec<(isize, usize)> {
            (0..self.kernel)
                .filter(|k| (phase + self.padding) % self.stride == k % self.stride)
                .map(|k| ((from(phase) - k as isize) / self.stride as isize, k))
                .collect()
        };
        let steps = |size: usize, phase: usize| size.saturating_sub(phase).div_ceil(self.stride);
        Plan {
            in_blocks: self.c_out.div_ceil(LANES),
            input: grad,
            steps: [steps(height, phase[0]), steps(width, phase[1])],
            stride: 1,
            taps: [taps(phase[0]), taps(phase[1])],
            kernel: [self.kernel; 2],
            output: [height, width],
            out_start: phase,
            out_stride: self.stride,
        }
    }
}

/// A transposed convolution with packed weights.
#[derive(Clone)]
pub(crate) struct PackedTransposed {
    pub(crate) conv: Conv2d,
    panels: Buffer,
    bias: Option<Buffer>,
}

impl PackedTransposed {
    /// `activation(transposed(grad) + bias + residual)` with `size` rows and columns.
    pub(crate) fn forward_to(
        &self,
        grad: &Blocked,
        size: [usize; 2],
        residual: Option<&Blocked>,
        activation: Activation,
    ) -> Blocked {
        let conv = &self.conv;
        assert_eq!(
            grad.channels(),
            conv.c_out,
            "the input has another number of channels than the convolution"
        );
        let mut output = Blocked::stale(grad.batch(), conv.c_in, size[0], size[1]);
        if let Some(residual) = residual {
            assert_eq!(
                residual.shape(),
                output.shape(),
                "the residual has another shape than the output"
            );
        }
        let residual = residual.map(|r| r.data.as_slice());
        let epilogue = Epilogue {
            bias: self.bias.as_deref(),
            residual,
            activation,
        };
        let grad_size = [grad.height(), grad.width()];
        for phase in 0..conv.stride * conv.stride {
            let plan = conv.phase(size, grad_size, [phase / conv.stride, phase % conv.stride]);
            plan.run(conv.isa, grad, &self.panels, epilogue, &mut output);
        }
        output
    }
}
