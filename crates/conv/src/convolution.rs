//! The passes of training, on contiguous tensors.

use crate::blocked::Blocked;
use crate::conv::{Algorithm, Conv2d};
use crate::epilogue::{Activation, Epilogue};
use crate::images::by_images;
use crate::packed::{PackedConv2d, Panels};
use crate::parallel::in_pool;
use crate::weights::{WeightView, pack_bias};
use crate::winograd::{self, Prepared, Source, Weights};

/// What training asks of a convolution. Tensors are contiguous `[batch, channels, height, width]`, and `size` = `[batch,
/// height, width]` is the input's.
///
/// All passes panic if a length does not fit.
pub trait Convolution {
    /// Floats of the weights.
    fn weight_len(&self) -> usize;

    /// Whether all passes round their operands to bf16.
    fn is_bf16(&self) -> bool;

    /// `output = input * weight + bias`, with a value of the bias per output channel.
    fn forward(
        &self,
        input: &[f32],
        size: [usize; 3],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    );

    /// Gradient with respect to the input, from that of the output.
    fn input_grad(
        &self,
        output_grad: &[f32],
        size: [usize; 3],
        weight: &[f32],
        input_grad: &mut [f32],
    );

    /// Gradient with respect to the weights, from the input and the output's gradient.
    fn weight_grad(
        &self,
        input: &[f32],
        size: [usize; 3],
        output_grad: &[f32],
        weight_grad: &mut [f32],
    );

    /// Both gradients, cheaper than one after the other.
    fn backward(
        &self,
        input: &[f32],
        size: [usize; 3],
        weight: &[f32],
        output_grad: &[f32],
        input_grad: &mut [f32],
        weight_grad: &mut [f32],
    );
}

/// The weights are `[c_out, c_in, kernel, kernel]`.
impl Convolution for Conv2d {
    fn weight_len(&self) -> usize {
        self.c_out * self.c_in * self.kernel * self.kernel
    }

    fn is_bf16(&self) -> bool {
        self.bf16
    }

    fn forward(
        &self,
        input: &[f32],
        size: [usize; 3],
        weight: &[f32],
        bias: Option<&[f32]>,
        output: &mut [f32],
    ) {
        in_pool(|| {
            if self.algorithm() == Algorithm::Winograd {
                let weights = ThreeByThree {
                    conv: *self,
                    view: self.view(weight),
                    mirror: false,
                };
                weights.run(input, size, bias, output);
            } else {
                let packed = self.pack(weight, bias);
                by_images(self, size, input, output, |part, size| {
                    packed.forward_nchw(part, size, Activation::Identity)
                });
            }
        });
    }

    fn input_grad(
        &self,
        output_grad: &[f32],
        size: [usize; 3],
        weight: &[f32],
        input_grad: &mut [f32],
    ) {
        self.transposed(output_grad, size, weight, None, input_grad);
    }

    fn weight_grad(
        &self,
        input: &[f32],
        size: [usize; 3],
        output_grad: &[f32],
        weight_grad: &mut [f32],
    ) {
        in_pool(|| {
            let grad = self.blocked_output(output_grad, size);
            self.blocked_weight_grad(&self.blocked_input(input, size), &grad, weight_grad);
        });
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
        in_pool(|| {
            let grad = self.blocked_output(output_grad, size);
            let of_input = if self.uses_winograd() {
                self.mirrored(weight).run_blocked(&grad, None)
            } else {
                let packed = self.pack_transposed(weight, None);
                packed.forward_to(&grad, [size[1], size[2]], None, Activation::Identity)
            };
            of_input.to_nchw_with(self.isa, input_grad);
            self.blocked_weight_grad(&self.blocked_input(input, size), &grad, weight_grad);
        });
    }
}

impl Conv2d {
    /// The transposed convolution, from what is like an output to `size` = `[batch, height, width]` of what is like an
    /// input: [`Convolution::input_grad`] with a bias.
    pub(crate) fn transposed(
        &self,
        output: &[f32],
        size: [usize; 3],
        weight: &[f32],
        bias: Option<&[f32]>,
        input: &mut [f32],
    ) {
        in_pool(|| {
            if self.uses_winograd() {
                self.mirrored(weight).run(output, size, bias, input);
            } else {
                let packed = self.pack_transposed(weight, bias);
                by_images(self, size, output, input, |part, size| {
                    let part = self.blocked_output(part, size);
                    packed.forward_to(&part, [size[1], size[2]], None, Activation::Identity)
                });
            }
        });
    }

    /// The 3x3 convolution from output gradients to input gradients.
    fn mirrored<'a>(&self, weight: &'a [f32]) -> ThreeByThree<'a> {
        ThreeByThree {
            conv: Self {
                c_in: self.c_out,
                c_out: self.c_in,
                ..*self
            },
            view: self.view(weight).swapped(),
            mirror: true,
        }
    }
}

/// A convolution by Winograd's algorithm whose weights are used once.
struct ThreeByThree<'a> {
    conv: Conv2d,
    view: WeightView<'a>,
    /// Take the taps in reverse order.
    mirror: bool,
}

impl ThreeByThree<'_> {
    fn run(&self, input: &[f32], size: [usize; 3], bias: Option<&[f32]>, output: &mut [f32]) {
        let Self { conv, view, mirror } = self;
        if conv.images_per_task(size).is_some() {
            let packed = PackedConv2d {
                conv: *conv,
                weights: Panels::Winograd(Prepared::new(conv.isa, *view, *mirror)),
                bias: bias.map(|bias| pack_bias(bias, conv.c_out)),
            };
            by_images(conv, size, input, output, |part, size| {
                packed.forward_nchw(part, size, Activation::Identity)
            });
        } else {
            let input = conv.blocked_input(input, size);
            self.run_blocked(&input, bias)
                .to_nchw_with(conv.isa, output);
        }
    }

    fn run_blocked(&self, input: &Blocked, bias: Option<&[f32]>) -> Blocked {
        let Self { conv, view, mirror } = *self;
        let [batch, _, height, width] = input.shape();
        let bias = bias.map(|bias| pack_bias(bias, conv.c_out));
        let epilogue = Epilogue {
            bias: bias.as_deref(),
            round: conv.bf16,
            ..Epilogue::default()
        };
        let weights = Weights::Fresh(Source::View { view, mirror });
        let mut output = Blocked::stale(batch, conv.c_out, height, width);
        winograd::run(conv.isa, input, weights, epilogue, &mut output);
        output
    }
}
