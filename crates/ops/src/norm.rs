use burn::nn::InstanceNorm;
use burn::tensor::Tensor;

use crate::Activation;

/// `activation(norm(x) + residual)`, in one pass over memory where the kernels run.
///
/// # Shapes
/// - x, residual, output: `[batch, channels, height, width]`
///
/// # Panics
/// As [`InstanceNorm::forward`], or if the residual has another shape.
pub fn instance_norm(
    layer: &InstanceNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(output) = crate::flex::instance_norm(layer, &x, residual.as_ref(), activation) {
        return output;
    }
    activation.after(layer.forward(x), residual)
}
