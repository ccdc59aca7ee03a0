//! The gradient with respect to the input, which is also the transposed convolution.

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::direct::Plan;
use crate::epilogue::{Activation, Epilogue};
use crate::isa::LANES;
use crate::weights::{WeightView, pack_bias};
use crate::winograd;
use crate::winograd_transform::Source;

impl Conv2d {
    /// Gradient with respect to the input `[batch, c_in, height, width]`, `size` = `[batch, height, width]`, from that of
    /// the output.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn input_grad(&self, output_grad: &[f32], size: [usize; 3], weight: &[f32], input_grad: &mut [f32]) {
        self.blocked_input_grad(&self.blocked_output(output_grad, size), size, weight, input_grad);
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
        let grad = self.blocked_output(output_grad, size);
        self.blocked_input_grad(&grad, size, weight, input_grad);
        self.blocked_weight_grad(&self.blocked_input(input, size), &grad, weight_grad);
    }

    pub(crate) fn blocked_input(&self, input: &[f32], [batch, height, width]: [usize; 3]) -> Blocked {
        Blocked::from_nchw_with(self.isa, input, [batch, self.c_in, height, width])
    }

    pub(crate) fn blocked_output(&self, output: &[f32], [batch, height, width]: [usize; 3]) -> Blocked {
        let shape = [batch, self.c_out, self.output(height), self.output(width)];
        Blocked::from_nchw_with(self.isa, output, shape)
    }

    fn blocked_input_grad(&self, grad: &Blocked, size: [usize; 3], weight: &[f32], input_grad: &mut [f32]) {
        if self.is_3x3() {
            assert_eq!(weight.len(), self.weight_len(), "weights of another shape than the convolution's");
            let mut to = Blocked::stale(size[0], self.c_in, size[1], size[2]);
            let view = WeightView::forward(weight, self.c_out, self.c_in, self.kernel).swapped();
            let weights = winograd::Weights::Fresh(Source::View { view, mirror: true });
            winograd::run(self.isa, grad, weights, Epilogue::default(), &mut to);
            to.to_nchw_with(self.isa, input_grad);
        } else {
            let packed = self.pack_transposed(weight, None);
            let to = packed.forward_to(grad, [size[1], size[2]], None, Activation::Identity);
            to.to_nchw_with(self.isa, input_grad);
        }
    }

    /// Packs the weights for the map from output gradients to input gradients.
    fn pack_transposed(&self, weight: &[f32], bias: Option<&[f32]>) -> PackedTransposed {
        assert_eq!(weight.len(), self.weight_len(), "weights of another shape than the convolution's");
        assert!(bias.is_none_or(|b| b.len() == self.c_in), "a bias needs one value per channel");
        let view = WeightView::forward(weight, self.c_out, self.c_in, self.kernel).swapped();
        PackedTransposed { conv: *self, panels: view.pack_blocked(self.isa), bias: bias.map(pack_bias) }
    }

    /// The input pixels of one phase: those at `phase` plus multiples of the stride share their taps.
    fn phase(&self, [height, width]: [usize; 2], grad: [usize; 2], phase: [usize; 2]) -> Plan {
        let taps = |phase: usize| -> Vec<(isize, usize)> {
            (0..self.kernel)
                .filter(|k| (phase + self.padding) % self.stride == k % self.stride)
                .map(|k| (((phase + self.padding) as isize - k as isize) / self.stride as isize, k))
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
    conv: Conv2d,
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
        assert_eq!(grad.channels(), conv.c_out, "the input has another number of channels than the convolution");
        let mut output = Blocked::stale(grad.batch(), conv.c_in, size[0], size[1]);
        if let Some(residual) = residual {
            assert_eq!(residual.shape(), output.shape(), "the residual has another shape than the output");
        }
        let residual = residual.map(|r| r.data.as_slice());
        let epilogue = Epilogue { bias: self.bias.as_deref(), residual, activation };
        let grad_size = [grad.height(), grad.width()];
        for phase in 0..conv.stride * conv.stride {
            let plan = conv.phase(size, grad_size, [phase / conv.stride, phase % conv.stride]);
            plan.run(conv.isa, grad, &self.panels, epilogue, &mut output);
        }
        output
    }
}

/// A transposed convolution whose stride is its kernel, so that outputs do not overlap; no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose2d {
    /// The convolution whose input gradient this is.
    conv: Conv2d,
}

impl ConvTranspose2d {
    /// From `c_in` to `c_out` channels, `kernel` times the height and width.
    ///
    /// # Panics
    /// If a size is zero.
    pub fn new(c_in: usize, c_out: usize, kernel: usize) -> Self {
        Self { conv: Conv2d::new(c_out, c_in, kernel, kernel, 0) }
    }

    /// The same on another instruction set, as far as the processor has it.
    pub fn with_isa(self, isa: crate::Isa) -> Self {
        Self { conv: self.conv.with_isa(isa) }
    }

    /// Floats of the weights `[c_in, c_out, kernel, kernel]`.
    pub fn weight_len(&self) -> usize {
        self.conv.weight_len()
    }

    fn enlarged(&self, [batch, height, width]: [usize; 3]) -> [usize; 3] {
        [batch, height * self.conv.kernel, width * self.conv.kernel]
    }

    /// From `[batch, c_in, height, width]` to `[batch, c_out, kernel * height, kernel * width]`; `size` =
    /// `[batch, height, width]`.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn forward(&self, input: &[f32], size: [usize; 3], weight: &[f32], output: &mut [f32]) {
        self.conv.input_grad(input, self.enlarged(size), weight, output);
    }

    /// Gradient with respect to the input, from that of the output.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn input_grad(&self, output_grad: &[f32], size: [usize; 3], weight: &[f32], input_grad: &mut [f32]) {
        self.conv.forward(output_grad, self.enlarged(size), weight, None, input_grad);
    }

    /// Gradient with respect to the weights, from the input and the output's gradient.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn weight_grad(&self, input: &[f32], size: [usize; 3], output_grad: &[f32], weight_grad: &mut [f32]) {
        self.conv.weight_grad(output_grad, self.enlarged(size), input, weight_grad);
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
        let large = self.enlarged(size);
        let grad = self.conv.blocked_input(output_grad, large);
        let packed = self.conv.pack(weight, None);
        packed.forward(&grad, None, Activation::Identity).to_nchw_with(self.conv.isa, input_grad);
        self.conv.blocked_weight_grad(&grad, &self.conv.blocked_output(input, large), weight_grad);
    }

    /// Packs the weights `[c_in, c_out, kernel, kernel]` and a bias of `c_out` for any number of forward passes.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn pack(&self, weight: &[f32], bias: Option<&[f32]>) -> PackedConvTranspose2d {
        PackedConvTranspose2d(self.conv.pack_transposed(weight, bias))
    }
}

/// A transposed convolution with packed weights.
#[derive(Clone)]
pub struct PackedConvTranspose2d(PackedTransposed);

impl PackedConvTranspose2d {
    /// `activation(transposed(input) + bias + residual)`, the residual in the shape of the output.
    ///
    /// # Panics
    /// If the channels of `input` or the shape of `residual` do not fit.
    pub fn forward(&self, input: &Blocked, residual: Option<&Blocked>, activation: Activation) -> Blocked {
        let kernel = self.0.conv.kernel;
        self.0.forward_to(input, [input.height() * kernel, input.width() * kernel], residual, activation)
    }
}
