//! Convolutions and linear layers in a chosen precision.

#[cfg(feature = "cube")]
use burn::backend::Cube;
use burn::backend::DispatchDevice;
#[cfg(feature = "flex")]
use burn::backend::Flex;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::Tensor;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use crate::Precision;
use crate::product::{Product, multiply};
use crate::rounding::Rounding;

/// What the convolution layer computes.
///
/// # Shapes
/// - x: `[batch, channels_in, height, width]`
/// - output: `[batch, channels_out, height', width']`
///
/// # Panics
/// As [`Conv2d::forward`]; in [`Precision::Bf16`], in [`Precision::Tf32`] on the CPU and in [`Precision::F32`] on CUDA also if the
/// layer's padding is [`PaddingConfig2d::Same`].
pub fn conv2d(layer: &Conv2d, x: Tensor<4>, precision: Precision) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if precision != Precision::Tf32
        && let Some(output) = crate::flex::conv2d(layer, &x, precision == Precision::Bf16)
    {
        return output;
    }
    burn_conv2d(layer, x, precision)
}

/// The same on burn's operators.
pub(crate) fn burn_conv2d(layer: &Conv2d, x: Tensor<4>, precision: Precision) -> Tensor<4> {
    match Rounding::of(precision, &x.device()) {
        None => layer.forward(x),
        Some(rounding) => {
            let options = ConvOptions::new_with_padding(
                layer.stride,
                padding(layer),
                layer.dilation,
                layer.groups,
            );
            let bias = layer.bias.as_ref().map(|bias| bias.val());
            rounded(options, rounding, x, layer.weight.val(), bias)
        }
    }
}

/// What the transposed convolution layer computes.
///
/// # Shapes
/// - x: `[batch, channels_in, height, width]`
/// - output: `[batch, channels_out, height', width']`
///
/// # Panics
/// As [`ConvTranspose2d::forward`].
pub fn conv_transpose2d(layer: &ConvTranspose2d, x: Tensor<4>, precision: Precision) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if precision != Precision::Tf32
        && let Some(output) = crate::flex::conv_transpose2d(layer, &x, precision == Precision::Bf16)
    {
        return output;
    }
    burn_conv_transpose2d(layer, x, precision)
}

/// The same on burn's operators.
pub(crate) fn burn_conv_transpose2d(
    layer: &ConvTranspose2d,
    x: Tensor<4>,
    precision: Precision,
) -> Tensor<4> {
    match Rounding::of(precision, &x.device()) {
        None => layer.forward(x),
        Some(rounding) => {
            let options = ConvTransposeOptions::new(
                layer.stride,
                layer.padding,
                layer.padding_out,
                layer.dilation,
                layer.groups,
            );
            let bias = layer.bias.as_ref().map(|bias| bias.val());
            rounded(options, rounding, x, layer.weight.val(), bias)
        }
    }
}

/// What the linear layer computes.
///
/// # Shapes
/// - x: `[batch, channels_in]`
/// - output: `[batch, channels_out]`
///
/// # Panics
/// As [`Linear::forward`].
pub fn linear(layer: &Linear, x: Tensor<2>, precision: Precision) -> Tensor<2> {
    match Rounding::of(precision, &x.device()) {
        None => layer.forward(x),
        Some(rounding) => {
            // A convolution of maps of one pixel.
            let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
            let [inputs, outputs] = layer.weight.dims();
            let weight = layer.weight.val().transpose();
            let weight = weight.reshape([outputs, inputs, 1, 1]);
            let bias = layer.bias.as_ref().map(|bias| bias.val());
            let batch = x.dims()[0];
            let x = x.reshape([batch, inputs, 1, 1]);
            rounded(options, rounding, x, weight, bias).flatten(1, 3)
        }
    }
}

/// A product with rounded operands, on the operators of the tensors' backend, and the bias.
fn rounded<P: Product>(
    product: P,
    rounding: Rounding,
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let y = match x.device().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => multiply::<Flex, P>(product, rounding, x, weight),
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(_) => multiply::<Cube, P>(product, rounding, x, weight),
        other => panic!("{other:?} is a device of a backend that was not switched on"),
    };
    match bias {
        Some(bias) => {
            let channels = bias.dims()[0];
            y + bias.reshape([1, channels, 1, 1])
        }
        None => y,
    }
}

/// Above, below, left and right.
fn padding(layer: &Conv2d) -> [(usize, usize); 2] {
    match layer.padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        PaddingConfig2d::Same => panic!("how much the padding `Same` is, only burn's layer knows"),
    }
}
