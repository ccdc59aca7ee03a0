use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::Tensor;

/// What the convolution layer computes.
///
/// # Shapes
/// - x: `[batch, channels_in, height, width]`
/// - output: `[batch, channels_out, height', width']`
///
/// # Panics
/// As [`Conv2d::forward`].
pub fn conv2d(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::flex::conv2d(layer, &x) {
        return output;
    }
    layer.forward(x)
}

/// What the transposed convolution layer computes.
///
/// # Shapes
/// - x: `[batch, channels_in, height, width]`
/// - output: `[batch, channels_out, height', width']`
///
/// # Panics
/// As [`ConvTranspose2d::forward`].
pub fn conv_transpose2d(layer: &ConvTranspose2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::flex::conv_transpose2d(layer, &x) {
        return output;
    }
    layer.forward(x)
}
