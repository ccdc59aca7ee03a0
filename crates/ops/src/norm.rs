use burn::nn::{BatchNorm, InstanceNorm};
use burn::tensor::Tensor;
use burn::tensor::module::batch_norm_train;

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

/// `activation(norm(x) + residual)`. Where the layer learns, its running variance follows the unbiased estimate, as PyTorch's does; burn's
/// layer by itself takes the biased one, which is a fifteenth smaller where a batch has 16 positions.
///
/// # Shapes
/// - x, residual, output: `[batch, channels, height, width]`
///
/// # Panics
/// As [`BatchNorm::forward`], or if the residual has another shape.
pub fn batch_norm(
    layer: &BatchNorm,
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> Tensor<4> {
    let device = x.device();
    if !(device.is_autodiff() && layer.training.is_enabled()) {
        return activation.after(layer.forward(x), residual);
    }
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    let normed = batch_norm_train(x, layer.gamma.val(), layer.beta.val(), layer.epsilon);
    let unbiased = normed.variance.detach() * (count / (count - 1.0).max(1.0));
    for (running, new) in [
        (&layer.running_mean, normed.mean.detach()),
        (&layer.running_var, unbiased),
    ] {
        let old = running.value_sync().to_device(&device);
        let value = old * (1.0 - layer.momentum) + new * layer.momentum;
        running.update(value.detach());
    }
    activation.after(normed.output, residual)
}
