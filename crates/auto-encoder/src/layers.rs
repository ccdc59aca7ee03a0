//! Convolution and norm, the pair of which every block is made.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Initializer, InstanceNorm, InstanceNormConfig, PaddingConfig2d,
};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{
    Activation, Layer, LayerShape, Precision, Resize, conv_transpose2d, conv2d, instance_norm,
};

use crate::{AutoEncoderConfig, Norm};

#[derive(Module, Debug)]
pub(crate) enum Convolution {
    Plain(Conv2d),
    Transposed(ConvTranspose2d),
}

#[derive(Module, Debug)]
pub(crate) enum NormLayer {
    Instance(InstanceNorm),
    Batch(BatchNorm),
}

/// A convolution without bias, then a norm; the parameters of both learn.
#[derive(Module, Debug)]
pub struct ConvNorm {
    pub(crate) conv: Convolution,
    pub(crate) norm: NormLayer,
    #[module(skip)]
    pub(crate) precision: Precision,
}

impl ConvNorm {
    pub(crate) fn new(shape: LayerShape, config: &AutoEncoderConfig, device: &Device) -> Self {
        let LayerShape {
            channels,
            kernel,
            resize,
        } = shape;
        let conv = match resize {
            Resize::Double => Convolution::Transposed(
                ConvTranspose2dConfig::new(channels, [2, 2])
                    .with_stride([2, 2])
                    .with_bias(false)
                    .with_initializer(Initializer::Zeros)
                    .init(device),
            ),
            Resize::Keep | Resize::Halve => {
                let stride = if resize == Resize::Halve { 2 } else { 1 };
                let pad = kernel / 2;
                Convolution::Plain(
                    Conv2dConfig::new(channels, [kernel, kernel])
                        .with_stride([stride, stride])
                        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                        .with_bias(false)
                        .with_initializer(Initializer::Zeros)
                        .init(device),
                )
            }
        };
        let norm = match config.norm {
            Norm::Instance => {
                NormLayer::Instance(InstanceNormConfig::new(channels[1]).init(device))
            }
            Norm::Batch => NormLayer::Batch(BatchNormConfig::new(channels[1]).init(device)),
        };
        Self {
            conv,
            norm,
            precision: config.precision,
        }
    }
}

impl Layer for ConvNorm {
    type Map = Tensor<4>;

    /// `activation(norm(conv(x)) + residual)`.
    fn forward(
        &self,
        x: &Tensor<4>,
        residual: Option<&Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        let (x, residual) = (x.clone(), residual.cloned());
        let x = match &self.conv {
            Convolution::Plain(conv) => conv2d(conv, x, self.precision),
            Convolution::Transposed(conv) => conv_transpose2d(conv, x, self.precision),
        };
        match &self.norm {
            NormLayer::Instance(norm) => instance_norm(norm, x, residual, activation),
            NormLayer::Batch(norm) => activation.after(norm.forward(x), residual),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::batch_norm_train;
    use burn::tensor::{FloatDType, TensorData};

    use super::*;

    /// Output of a norm and the gradient of its input, in double precision.
    fn run(x: Tensor<4>, norm: impl Fn(Tensor<4>) -> Tensor<4>) -> [Tensor<4>; 2] {
        let x = x.require_grad();
        let y = norm(x.clone());
        let gradients = (y.clone().sin() * y.clone()).sum().backward();
        let gradient = x.grad(&gradients).unwrap_or_else(|| panic!("no gradient"));
        [y.inner(), gradient].map(|tensor| tensor.cast(FloatDType::F64))
    }

    /// Channels of 12 values, as on latent maps of 2 x 2, with means 45 deviations from zero. In single precision a rounded
    /// mean then costs 3e-6, and a variance as the difference of raw squares would cost 1e-4.
    #[test]
    fn a_batch_norm_and_its_gradient_lose_little_in_single_precision() {
        let device = ckaad_device::cpu().autodiff();
        let [channels, shape] = [vec![5], vec![3, 5, 2, 2]];
        let values: Vec<f32> = (0..60).map(|i| 32.0 + (1.3 * i as f32).sin()).collect();
        let x = Tensor::<4>::from_data(TensorData::new(values, shape), &device);
        let layer = BatchNormConfig::new(channels[0]).init(&device);
        let double =
            |value: f32| Tensor::<1>::full(channels.clone(), value, &device).cast(FloatDType::F64);
        let found = run(x.clone(), |x| layer.forward(x));
        let expected = run(x.cast(FloatDType::F64), |x| {
            batch_norm_train(x, double(1.0), double(0.0), layer.epsilon).output
        });
        for (found, expected) in found.into_iter().zip(expected) {
            let norm = |x: Tensor<4>| x.square().sum().sqrt().into_scalar::<f64>();
            let error = norm(found - expected.clone()) / norm(expected);
            assert!(error > 0.0 && error < 1e-5, "{error:.1e}");
        }
    }
}
