use burn::tensor::Tensor;
use burn::tensor::activation::leaky_relu as burns_leaky_relu;

/// The square of the smallest norm that a vector is divided by.
const SMALLEST_NORM_SQUARED: f32 = 1e-24;

/// Divides the channels at every position by their Euclidean norm, at least 1e-12.
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn normalise_channels(x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::flex::normalise_channels(&x, SMALLEST_NORM_SQUARED) {
        return output;
    }
    // The clamp under the root keeps the gradient finite where a patch is zero in every channel.
    let norm = x
        .clone()
        .square()
        .sum_dim(1)
        .clamp_min(SMALLEST_NORM_SQUARED)
        .sqrt();
    x / norm
}

/// `x` where it is positive, else `slope * x`, for slopes above 0.
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn leaky_relu(x: Tensor<4>, slope: f64) -> Tensor<4> {
    #[cfg(feature = "flex")]
    let x = match crate::flex::leaky_relu(x, slope) {
        Ok(output) => return output,
        Err(x) => x,
    };
    burns_leaky_relu(x, slope)
}
