use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, conv2d, leaky_relu, normalise_channels};
use ckaad_parameters::Initialisation;

use crate::NEGATIVE_SLOPE;

/// The shape of a patch discriminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchDiscriminatorConfig {
    /// Channels of each feature map, fine to coarse.
    pub channels: Vec<usize>,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// One scale's scoring network: 1x1 convolutions on the normalised feature of a patch.
#[derive(Module, Debug)]
struct Head {
    layers: Vec<Conv2d>,
    #[module(skip)]
    precision: Precision,
}

/// Scores every patch of every scale.
#[derive(Module, Debug)]
pub struct PatchDiscriminator {
    heads: Vec<Head>,
}

impl PatchDiscriminatorConfig {
    /// A discriminator with seeded starting values, uniform in `±1 / sqrt(channels)`.
    pub fn init(&self, seed: u64, device: &Device) -> PatchDiscriminator {
        Initialisation::FanInUniform.fill(self.zeros(device), seed)
    }

    /// The same network with all parameters zero, to be filled from a file.
    pub fn zeros(&self, device: &Device) -> PatchDiscriminator {
        let conv = |input, output| {
            Conv2dConfig::new([input, output], [1, 1])
                .with_bias(false)
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        let head = |&channels: &usize| Head {
            layers: vec![
                conv(channels, channels),
                conv(channels, channels),
                conv(channels, 1),
            ],
            precision: self.precision,
        };
        PatchDiscriminator {
            heads: self.channels.iter().map(head).collect(),
        }
    }
}

impl PatchDiscriminator {
    /// The energy of every patch: the absolute value of its score, in `[0, inf)`.
    ///
    /// # Shapes
    /// - features, fine to coarse: `[batch, channels(s), height(s), width(s)]`
    /// - output: `[batch, height(s) * width(s)]` per scale
    ///
    /// # Panics
    /// If there are not as many feature maps as heads.
    pub fn energies(&self, features: &[Tensor<4>]) -> Vec<Tensor<2>> {
        assert_eq!(features.len(), self.heads.len(), "one feature map per head");
        self.heads
            .iter()
            .zip(features)
            .map(|(head, feature)| head.energies(feature.clone()))
            .collect()
    }
}

impl Head {
    fn energies(&self, feature: Tensor<4>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        let score = self.layers.iter().enumerate().fold(
            normalise_channels(feature),
            |x, (index, layer)| {
                let x = conv2d(layer, x, self.precision);
                if index < last {
                    leaky_relu(x, NEGATIVE_SLOPE)
                } else {
                    x
                }
            },
        );
        // Flattened before anything else is done with it: on wgpu, burn 0.22.1 computes wrong values elementwise from the output
        // of a convolution with one channel (seen on Vulkan in software).
        score.flatten::<2>(1, 3).abs()
    }
}
