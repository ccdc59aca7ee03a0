//! The transposed convolution whose windows do not overlap.

use crate::blocked::Blocked;
use crate::conv::Conv2d;
use crate::convolution::Convolution;
use crate::epilogue::Activation;
use crate::input_grad::PackedTransposed;
use crate::isa::Isa;
use crate::parallel::in_pool;

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
        Self {
            conv: Conv2d::new(c_out, c_in, kernel, kernel, 0),
        }
    }

    /// The same on another instruction set, as far as the processor has it.
    pub fn with_isa(self, isa: Isa) -> Self {
        Self {
            conv: self.conv.with_isa(isa),
        }
    }

    /// The same in bf16: [`Conv2d::in_bf16`].
    pub fn in_bf16(self) -> Self {
        Self {
            conv: self.conv.in_bf16(),
        }
    }

    fn enlarged(&self, [batch, height, width]: [usize; 3]) -> [usize; 3] {
        [batch, height * self.conv.kernel, width * self.conv.kernel]
    }

    /// Packs the weights `[c_in, c_out, kernel, kernel]` and a bias of `c_out` for any number of forward passes.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn pack(&self, weight: &[f32], bias: Option<&[f32]>) -> PackedConvTranspose2d {
        PackedConvTranspose2d(self.conv.pack_transposed(weight, bias))
    }
}

/// The weights are `[c_in, c_out, kernel, kernel]`; the output has `kernel` times the height and width of the input.
impl Convolution for ConvTranspose2d {
    fn weight_len(&self) -> usize {
        self.conv.weight_len()
    }

    fn is_bf16(&self) -> bool {
        self.conv.bf16
    }

    fn forward(
        &self,
        input: &[f32],
        size: [usize; 3],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) {
        let size = self.enlarged(size);
        self.conv.transposed(input, size, weight, bias, output);
    }

    fn input_grad(
        &self,
        output_grad: &[f32],
        size: [usize; 3],
        weight: &[f32],
        input_grad: &mut [f32],
    ) {
        let size = self.enlarged(size);
        self.conv
            .forward(output_grad, size, weight, None, input_grad);
    }

    fn weight_grad(
        &self,
        input: &[f32],
        size: [usize; 3],
        output_grad: &[f32],
        weight_grad: &mut [f32],
    ) {
        let size = self.enlarged(size);
        self.conv.weight_grad(output_grad, size, input, weight_grad);
    }

    fn backward(
        &self,
        input: &[f32],
        size: [usize; 3],
        weight: &[f32],
        output_grad: &[f32],
        input_grad: &mut [f32],
        weight_grad: &mut [f32],
    ) {
        let (conv, size) = (&self.conv, self.enlarged(size));
        in_pool(|| {
            let grad = conv.blocked_input(output_grad, size);
            conv.pack(weight, None)
                .forward(&grad, None, Activation::Identity)
                .to_nchw_with(conv.isa, input_grad);
            conv.blocked_weight_grad(&grad, &conv.blocked_output(input, size), weight_grad);
        });
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
    pub fn forward(
        &self,
        input: &Blocked,
        residual: Option<&Blocked>,
        activation: Activation,
    ) -> Blocked {
        let kernel = self.0.conv.kernel;
        self.0.forward_to(
            input,
            [input.height() * kernel, input.width() * kernel],
            residual,
            activation,
        )
    }
}
