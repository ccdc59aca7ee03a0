//! The networks: a projection of every scale's features, and the decoder behind them.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, InstanceNorm, InstanceNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use ckaad_auto_encoder::{AutoEncoder, AutoEncoderConfig};
use ckaad_ops::{Activation, Precision, conv2d, instance_norm, leaky_relu};
use ckaad_parameters::Initialisation;

/// What is left of numbers below zero.
const SLOPE: f64 = 0.01;

/// The shape of a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Channels of the features at every scale, fine to coarse.
    pub channels: Vec<usize>,
    /// Reconstructs the features from their projections; multiplies as the projections do.
    pub student: AutoEncoderConfig,
}

/// A convolution and a norm. The convolution has no offset, which the norm would take away.
#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    norm: InstanceNorm,
}

/// A projection of the features of one scale.
#[derive(Module, Debug)]
pub(super) struct Projection {
    layers: Vec<Layer>,
    #[module(skip)]
    precision: Precision,
}

/// Projections of the features of all scales.
#[derive(Module, Debug)]
pub(super) struct Projections {
    pub(super) scales: Vec<Projection>,
}

/// Projects features and reconstructs them from the projections.
#[derive(Module, Debug)]
pub struct Network {
    pub(super) projections: Projections,
    pub(super) student: AutoEncoder,
}

impl NetworkConfig {
    /// Starting values by `seed`: projections Kaiming uniform, the student [its own](AutoEncoderConfig::init).
    ///
    /// # Panics
    /// As [`AutoEncoderConfig::init`].
    pub fn init(&self, seed: u64, device: &Device) -> Network {
        let projections = self.projections(device);
        Network {
            projections: Initialisation::FanInUniform.fill(projections, seed),
            student: self.student.init(seed, device),
        }
    }

    /// The same networks with their convolutions zero, to be filled from a file.
    ///
    /// # Panics
    /// As [`AutoEncoderConfig::zeros`].
    pub fn zeros(&self, device: &Device) -> Network {
        Network {
            projections: self.projections(device),
            student: self.student.zeros(device),
        }
    }

    fn projections(&self, device: &Device) -> Projections {
        let scale = |&channels: &usize| {
            let [half, quarter] = [channels / 2, channels / 4];
            let widths = [channels, half, quarter, half, channels];
            let layers = widths.windows(2).map(|pair| Layer {
                conv: Conv2dConfig::new([pair[0], pair[1]], [3, 3])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .with_bias(false)
                    .with_initializer(Initializer::Zeros)
                    .init(device),
                norm: InstanceNormConfig::new(pair[1])
                    .with_affine(false)
                    .init(device),
            });
            Projection {
                layers: layers.collect(),
                precision: self.student.precision,
            }
        };
        Projections {
            scales: self.channels.iter().map(scale).collect(),
        }
    }
}

impl Projection {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers.iter().fold(x, |x, layer| {
            let x = conv2d(&layer.conv, x, self.precision);
            leaky_relu(
                instance_norm(&layer.norm, x, None, Activation::Identity),
                SLOPE,
            )
        })
    }
}

impl Network {
    /// The projections of features, in their shapes.
    ///
    /// # Shapes
    /// As [`AutoEncoder::forward`].
    pub fn project(&self, features: &[Tensor<4>]) -> Vec<Tensor<4>> {
        let scales = self.projections.scales.iter().zip(features);
        scales.map(|(scale, x)| scale.forward(x.clone())).collect()
    }

    /// What the student makes of projections.
    ///
    /// # Shapes
    /// As [`AutoEncoder::forward`].
    pub fn reconstruct(&self, projected: &[Tensor<4>]) -> Vec<Tensor<4>> {
        self.student.forward(projected)
    }
}
