//! Convolution and norm, the pair of which every block is made.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Initializer, InstanceNorm, InstanceNormConfig, PaddingConfig2d,
};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{
    Activation, Layer, LayerShape, Precision, Resize, batch_norm, conv_transpose2d, conv2d,
    instance_norm,
};

use crate::Norm;

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
    /// Of that shape, the convolution zero and the norm the identity; to be filled.
    pub fn new(shape: LayerShape, norm: Norm, precision: Precision, device: &Device) -> Self {
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
        let norm = match norm {
            Norm::Instance => {
                NormLayer::Instance(InstanceNormConfig::new(channels[1]).init(device))
            }
            Norm::Batch => NormLayer::Batch(BatchNormConfig::new(channels[1]).init(device)),
        };
        Self {
            conv,
            norm,
            precision,
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
            NormLayer::Batch(norm) => batch_norm(norm, x, residual, activation),
        }
    }
}
