use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    Initializer, InstanceNorm, InstanceNormConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::leaky_relu;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Activation, Precision, conv2d, instance_norm, linear};
use ckaad_parameters::Initialisation;

use crate::NEGATIVE_SLOPE;

/// The shape of an image discriminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDiscriminatorConfig {
    /// Channels of each feature map, fine to coarse; each twice the one before or more.
    pub channels: Vec<usize>,
    /// Height and width of the coarsest feature map: a power of two, at least 2.
    pub coarsest_size: usize,
    /// How exactly convolutions and linear layers multiply.
    pub precision: Precision,
}

/// Halves the resolution: 3x3 convolution, instance norm, leaky ReLU.
#[derive(Module, Debug)]
struct Halve {
    conv: Conv2d,
    norm: InstanceNorm,
}

/// The convolutions that bring one scale to the coarsest one's size.
#[derive(Module, Debug)]
struct Align {
    layers: Vec<Halve>,
}

/// Scores an image from all its feature maps.
///
/// Every scale is brought to the coarsest one's size and channels and concatenated; further convolutions halve the
/// resolution down to 2x2, a 2x2 convolution leaves one position, two linear layers the score. Behind the concatenation
/// the channels stay those of the coarsest scale: doubling them further would need billions of parameters for a wide
/// backbone.
#[derive(Module, Debug)]
pub struct ImageDiscriminator {
    align: Vec<Align>,
    reduce: Vec<Halve>,
    collapse: Conv2d,
    hidden: Linear,
    score: Linear,
    #[module(skip)]
    precision: Precision,
}

impl ImageDiscriminatorConfig {
    /// A discriminator with seeded starting values, uniform in `±1 / sqrt(fan_in)`, biases zero.
    ///
    /// # Panics
    /// If there are no channels, or the coarsest size is no power of two of at least 2.
    pub fn init(&self, seed: u64, device: &Device) -> ImageDiscriminator {
        Initialisation::FanInUniform.fill(self.zeros(device), seed)
    }

    /// The same network with its weights zero, to be filled from a file.
    ///
    /// # Panics
    /// As [`init`](Self::init).
    pub fn zeros(&self, device: &Device) -> ImageDiscriminator {
        assert!(
            !self.channels.is_empty(),
            "an image discriminator sees at least one feature map"
        );
        assert!(
            self.coarsest_size >= 2 && self.coarsest_size.is_power_of_two(),
            "the coarsest feature map's size must be a power of two of at least 2"
        );
        let deepest = self.channels[self.channels.len() - 1];
        let align = self
            .channels
            .iter()
            .map(|&channels| align(channels, deepest, device))
            .collect();
        let halvings = self.coarsest_size.ilog2() - 1;
        let mut channels = deepest * self.channels.len();
        let mut reduce = Vec::new();
        for _ in 0..halvings {
            reduce.push(halve([channels, deepest], device));
            channels = deepest;
        }
        let layer = |output| {
            LinearConfig::new(deepest, output)
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        ImageDiscriminator {
            align,
            reduce,
            collapse: Conv2dConfig::new([channels, deepest], [2, 2])
                .with_initializer(Initializer::Zeros)
                .init(device),
            hidden: layer(deepest),
            score: layer(1),
            precision: self.precision,
        }
    }
}

fn align(channels: usize, deepest: usize, device: &Device) -> Align {
    let mut layers = Vec::new();
    let mut channels = channels;
    while channels < deepest {
        layers.push(halve([channels, 2 * channels], device));
        channels *= 2;
    }
    Align { layers }
}

fn halve(channels: [usize; 2], device: &Device) -> Halve {
    Halve {
        conv: Conv2dConfig::new(channels, [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_bias(false)
            .with_initializer(Initializer::Zeros)
            .init(device),
        norm: InstanceNormConfig::new(channels[1]).init(device),
    }
}

impl Halve {
    fn forward(&self, x: Tensor<4>, precision: Precision) -> Tensor<4> {
        let x = conv2d(&self.conv, x, precision);
        let x = instance_norm(&self.norm, x, None, Activation::Identity);
        leaky_relu(x, NEGATIVE_SLOPE)
    }
}

impl ImageDiscriminator {
    /// The score of every image, a logit for "GAN".
    ///
    /// # Shapes
    /// - features, fine to coarse: `[batch, channels(s), height(s), width(s)]`, square, each half the size of the one
    ///   before, the coarsest as configured
    /// - output: `[batch, 1]`
    ///
    /// # Panics
    /// If the features have other shapes.
    pub fn scores(&self, features: &[Tensor<4>]) -> Tensor<2> {
        assert_eq!(
            features.len(),
            self.align.len(),
            "one feature map per scale"
        );
        let precision = self.precision;
        let run = |layers: &[Halve], x: Tensor<4>| {
            layers
                .iter()
                .fold(x, |x, layer| layer.forward(x, precision))
        };
        let aligned = self
            .align
            .iter()
            .zip(features)
            .map(|(align, feature)| run(&align.layers, feature.clone()))
            .collect();
        let x = run(&self.reduce, Tensor::cat(aligned, 1));
        // Flattened first, as the scores of patches are.
        let x = conv2d(&self.collapse, x, precision).flatten::<2>(1, 3);
        let x = linear(&self.hidden, leaky_relu(x, NEGATIVE_SLOPE), precision);
        linear(&self.score, leaky_relu(x, NEGATIVE_SLOPE), precision)
    }

    /// The energy of every image: the absolute value of its score, in `[0, inf)`.
    ///
    /// # Shapes
    /// As [`scores`](Self::scores).
    ///
    /// # Panics
    /// As [`scores`](Self::scores).
    pub fn energies(&self, features: &[Tensor<4>]) -> Tensor<2> {
        self.scores(features).abs()
    }
}
