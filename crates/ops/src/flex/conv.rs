//! Convolutions, plain and transposed, and their gradients.

use std::fmt::Debug;

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d as Plain, ConvTranspose2d as Transposed};
use burn::tensor::Tensor;
use ckaad_conv::{Conv2d, ConvTranspose2d, Convolution};

use super::kept::Kept;
use super::operands::{
    Operands, contiguous, from_values, operands, plain, record, register, slice,
};

/// Pixels of the largest maps on which 3x3 convolutions are computed directly.
const TILE: usize = 16;

/// Whether 3x3 convolutions of maps of so many pixels are computed directly.
pub(super) fn is_tiny_map(pixels: usize) -> bool {
    pixels <= TILE
}

/// The kernel of a layer, if there is one; `bf16` says what it multiplies.
pub(super) fn kernel(layer: &Plain, bf16: bool) -> Option<Conv2d> {
    let [c_out, c_in, _, _] = layer.weight.dims();
    let ([kernel, kernel_w], [stride, stride_w]) = (layer.kernel_size, layer.stride);
    let padding = match layer.padding {
        PaddingConfig2d::Valid => 0,
        PaddingConfig2d::Explicit(top, left, bottom, right)
            if [left, bottom, right] == [top; 3] =>
        {
            top
        }
        _ => return None,
    };
    let square = kernel == kernel_w && stride == stride_w;
    let simple = layer.groups == 1 && layer.dilation == [1, 1] && padding < kernel;
    (square && simple).then(|| {
        let conv = Conv2d::new(c_in, c_out, kernel, stride, padding);
        if bf16 { conv.in_bf16() } else { conv }
    })
}

/// The kernel of a layer, if there is one; `bf16` says what it multiplies.
pub(super) fn transposed_kernel(layer: &Transposed, bf16: bool) -> Option<ConvTranspose2d> {
    let [c_in, c_out, kernel, kernel_w] = layer.weight.dims();
    let simple = kernel == kernel_w
        && layer.stride == [kernel; 2]
        && layer.padding == [0, 0]
        && layer.padding_out == [0, 0]
        && layer.dilation == [1, 1]
        && layer.groups == 1;
    simple.then(|| {
        let conv = ConvTranspose2d::new(c_in, c_out, kernel);
        if bf16 { conv.in_bf16() } else { conv }
    })
}

/// The layer's output, or `None` if the kernels do not cover the layer or its tensors.
pub(crate) fn conv2d(layer: &Plain, x: &Tensor<4>, bf16: bool) -> Option<Tensor<4>> {
    let conv = kernel(layer, bf16)?;
    let [batch, channels, height, width] = x.dims();
    let fits = channels == conv.c_in && height.min(width) + 2 * conv.padding >= conv.kernel;
    if !fits || batch == 0 {
        return None;
    }
    // Winograd has nothing to gain on maps of a tile, and instance norms of so few pixels magnify its rounding errors.
    let conv = if is_tiny_map(height * width) {
        conv.without_winograd()
    } else {
        conv
    };
    let sized = Sized {
        conv,
        x: x.dims(),
        weight: layer.weight.dims(),
        y: [batch, conv.c_out, conv.output(height), conv.output(width)],
    };
    sized.run(x, &layer.weight, layer.bias.as_ref())
}

/// The layer's output, or `None` if the kernels do not cover the layer or its tensors.
pub(crate) fn conv_transpose2d(layer: &Transposed, x: &Tensor<4>, bf16: bool) -> Option<Tensor<4>> {
    let conv = transposed_kernel(layer, bf16)?;
    let [c_in, c_out, kernel, _] = layer.weight.dims();
    let [batch, channels, height, width] = x.dims();
    if channels != c_in || batch * height * width == 0 {
        return None;
    }
    let sized = Sized {
        conv,
        x: x.dims(),
        weight: layer.weight.dims(),
        y: [batch, c_out, kernel * height, kernel * width],
    };
    sized.run(x, &layer.weight, layer.bias.as_ref())
}

/// A convolution and the shapes of its tensors.
#[derive(Debug, Clone, Copy)]
struct Sized<C> {
    conv: C,
    x: [usize; 4],
    weight: [usize; 4],
    y: [usize; 4],
}

impl<C: Convolution + Debug + Copy + Send + 'static> Sized<C> {
    /// `None` if the kernels do not cover the tensors.
    fn run(
        &self,
        x: &Tensor<4>,
        weight: &Param<Tensor<4>>,
        bias: Option<&Param<Tensor<1>>>,
    ) -> Option<Tensor<4>> {
        let bias = bias.map(|bias| bias.val());
        match operands([x.clone().into_dispatch(), weight.val().into_dispatch()])? {
            Operands::Plain([x, weight]) => {
                let bias = match bias {
                    Some(bias) => match operands([bias.into_dispatch()])? {
                        Operands::Plain([bias]) => Some(bias),
                        Operands::Tracked(_) => return None,
                    },
                    None => None,
                };
                let bias = bias.as_ref().map(slice);
                Some(plain(self.forward(&x, &weight, bias)))
            }
            Operands::Tracked(inputs) => {
                let [x_wanted, weight_wanted] = inputs.each_ref().map(|input| input.is_tracked());
                let y = record(*self, inputs, |[x, weight]| {
                    let y = self.forward(&x, &weight, None);
                    // Each gradient needs the other operand.
                    let x = weight_wanted.then(|| Kept::operand(x, self.conv.is_bf16()));
                    (y, (x, x_wanted.then_some(weight)))
                });
                Some(match bias {
                    Some(bias) => y + bias.reshape([1, self.y[1], 1, 1]),
                    None => y,
                })
            }
        }
    }

    /// `[batch, height, width]` of the input.
    fn size(&self) -> [usize; 3] {
        let [batch, _, height, width] = self.x;
        [batch, height, width]
    }

    fn forward(&self, x: &FlexTensor, weight: &FlexTensor, bias: Option<&[f32]>) -> FlexTensor {
        let mut y = vec![0.0; self.y.iter().product()];
        let (x, weight) = (slice(x), slice(weight));
        self.conv.forward(x, self.size(), weight, bias, &mut y);
        from_values(y, self.y)
    }
}

impl<C: Convolution + Debug + Copy + Send + 'static> Backward<Flex, 2> for Sized<C> {
    /// Input and weight, as far as the other one wants a gradient.
    type State = (Option<Kept>, Option<FlexTensor>);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (conv, size) = (self.conv, self.size());
        let (x, weight) = ops.state;
        let x = x.as_ref().map(Kept::floats);
        let (x, weight) = (x.as_deref(), weight.as_ref().map(slice));
        let grad = contiguous(gradients.consume::<Flex>(&ops.node));
        let grad = slice(&grad);
        let mut x_grad = weight.map(|_| vec![0.0; self.x.iter().product()]);
        let mut weight_grad = x.map(|_| vec![0.0; conv.weight_len()]);
        match (x, weight, &mut x_grad, &mut weight_grad) {
            (Some(x), Some(weight), Some(x_grad), Some(weight_grad)) => {
                conv.backward(x, size, weight, grad, x_grad, weight_grad);
            }
            (Some(x), None, _, Some(weight_grad)) => conv.weight_grad(x, size, grad, weight_grad),
            (None, Some(weight), Some(x_grad), _) => conv.input_grad(grad, size, weight, x_grad),
            _ => {}
        }
        let [x_id, weight_id] = ops.parents.map(|parent| parent.map(|node| node.id));
        register(gradients, x_id, x_grad, self.x);
        register(gradients, weight_id, weight_grad, self.weight);
    }
}
