//! The direct gradient with respect to the input, which is also a transposed convolution.

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::direct::{Input, Plan};
use crate::epilogue::{Activation, Epilogue};
use crate::weights::pack_bias;

impl Conv2d {
    /// Packs the weights for the map from output gradients to input gradients.
    pub(crate) fn pack_transposed(&self, weight: &[f32], bias: Option<&[f32]>) -> PackedTransposed {
        PackedTransposed {
            conv: *self,
            panels: self
                .view(weight)
                .swapped()
                .pack_blocked(self.isa, self.multiplier()),
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
            in_blocks: self.c_out.div_ceil(self.multiplier().block_channels()),
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
        let epilogue = Epilogue::new(
            conv.bf16,
            self.bias.as_deref(),
            residual,
            activation,
            &output,
        );
        let grad_size = [grad.height(), grad.width()];
        let grad = Input::new(conv, grad, 1);
        for phase in 0..conv.stride * conv.stride {
            let plan = conv.phase(size, grad_size, [phase / conv.stride, phase % conv.stride]);
            plan.run(&grad, &self.panels, epilogue, &mut output);
        }
        output
    }
}
