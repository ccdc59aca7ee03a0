//! The networks: a generator that encodes, decodes and encodes again, and a critic.

use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::{leaky_relu, tanh};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Activation, Precision, batch_norm, conv_transpose2d, conv2d};
use ckaad_parameters::Initialisation;

use crate::layers::{Conv, Normed};

/// Channels of an image.
const COLOURS: usize = 3;
/// Side of all kernels, and of the smallest maps.
const SIDE: usize = 4;
/// What is left of numbers below zero.
const SLOPE: f64 = 0.2;

/// The shape of the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Side of the images: 8, 16, 32, ...
    pub image_size: usize,
    /// Channels of the largest maps; they double as maps are halved.
    pub width: usize,
    /// Numbers that an image is encoded by.
    pub latent: usize,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// Halves maps until they have 4 by 4 positions, which become one.
#[derive(Module, Debug)]
pub struct Encoder {
    first: Conv2d,
    layers: Vec<Normed>,
    last: Conv2d,
    #[module(skip)]
    precision: Precision,
}

/// A transposed convolution and a batch norm.
#[derive(Module, Debug)]
struct Enlarge {
    conv: ConvTranspose2d,
    norm: BatchNorm,
}

/// An encoder the other way round.
#[derive(Module, Debug)]
pub struct Decoder {
    layers: Vec<Enlarge>,
    last: ConvTranspose2d,
    #[module(skip)]
    precision: Precision,
}

/// Encodes, decodes and encodes again.
#[derive(Module, Debug)]
pub struct Generator {
    encoder1: Encoder,
    decoder: Decoder,
    encoder2: Encoder,
}

/// Tells images from reconstructed ones.
#[derive(Module, Debug)]
pub struct Critic {
    body: Encoder,
}

/// What a generator makes of images.
#[derive(Debug, Clone)]
pub struct Generated {
    /// `[batch, 3, side, side]`, from -1 to 1.
    pub images: Tensor<4>,
    /// What the images were encoded by, `[batch, latent, 1, 1]`.
    pub latent: Tensor<4>,
    /// What the generated ones are.
    pub latent_again: Tensor<4>,
}

impl NetworkConfig {
    /// Starting values by `seed`: normal, deviation 0.02.
    pub fn init(&self, seed: u64, device: &Device) -> (Generator, Critic) {
        let (generator, critic) = self.zeros(device);
        let start = Initialisation::Narrow;
        (start.fill(generator, seed), start.fill(critic, seed))
    }

    /// The same networks to be filled from a file.
    pub fn zeros(&self, device: &Device) -> (Generator, Critic) {
        let generator = Generator {
            encoder1: self.encoder(self.latent, device),
            decoder: self.decoder(device),
            encoder2: self.encoder(self.latent, device),
        };
        let critic = Critic {
            body: self.encoder(1, device),
        };
        (generator, critic)
    }

    /// Channels of maps of half the images' side, of a quarter, ..., of 4 pixels.
    fn widths(&self) -> Vec<usize> {
        let halvings = (self.image_size / SIDE).max(2).ilog2();
        (0..halvings).map(|halving| self.width << halving).collect()
    }

    fn encoder(&self, outputs: usize, device: &Device) -> Encoder {
        let halving = |channels: [usize; 2]| Conv {
            stride: 2,
            padding: 1,
            ..Conv::plain(channels, SIDE)
        };
        let widths = self.widths();
        let pairs = widths.windows(2);
        let last = Conv {
            padding: 0,
            ..Conv::plain([widths[widths.len() - 1], outputs], SIDE)
        };
        Encoder {
            first: halving([COLOURS, widths[0]]).init(device),
            layers: pairs
                .map(|pair| halving([pair[0], pair[1]]).normed(self.precision, device))
                .collect(),
            last: last.init(device),
            precision: self.precision,
        }
    }

    fn decoder(&self, device: &Device) -> Decoder {
        let doubling = |channels: [usize; 2]| Conv {
            stride: 2,
            padding: 1,
            ..Conv::plain(channels, SIDE)
        };
        let widths = self.widths();
        let first = Conv {
            padding: 0,
            ..Conv::plain([self.latent, widths[widths.len() - 1]], SIDE)
        };
        let others = widths.windows(2).rev();
        let others = others.map(|pair| doubling([pair[1], pair[0]]));
        let enlarge = |conv: Conv| Enlarge {
            conv: conv.init_transposed(device),
            norm: BatchNormConfig::new(conv.channels[1]).init(device),
        };
        Decoder {
            layers: std::iter::once(first).chain(others).map(enlarge).collect(),
            last: doubling([widths[0], COLOURS]).init_transposed(device),
            precision: self.precision,
        }
    }
}

impl Encoder {
    /// The maps before the last layer.
    fn features(&self, x: Tensor<4>) -> Tensor<4> {
        let x = leaky_relu(conv2d(&self.first, x, self.precision), SLOPE);
        let layers = self.layers.iter();
        layers.fold(x, |x, layer| leaky_relu(layer.forward(x), SLOPE))
    }

    fn outputs(&self, features: Tensor<4>) -> Tensor<4> {
        conv2d(&self.last, features, self.precision)
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.outputs(self.features(x))
    }
}

impl Decoder {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.layers.iter().fold(x, |x, layer| {
            let x = conv_transpose2d(&layer.conv, x, self.precision);
            batch_norm(&layer.norm, x, None, Activation::Relu)
        });
        tanh(conv_transpose2d(&self.last, x, self.precision))
    }
}

impl Generator {
    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from -1 to 1
    pub fn forward(&self, images: Tensor<4>) -> Generated {
        let latent = self.encoder1.forward(images);
        let images = self.decoder.forward(latent.clone());
        Generated {
            latent_again: self.encoder2.forward(images.clone()),
            images,
            latent,
        }
    }
}

impl Generated {
    /// The mean square of what encoding again changed, of every image.
    pub fn scores(&self) -> Tensor<1> {
        let change = self.latent.clone() - self.latent_again.clone();
        change
            .square()
            .flatten::<2>(1, 3)
            .mean_dim(1)
            .squeeze_dim(1)
    }
}

impl Critic {
    /// Logits that images are real, `[batch, 1]`, and the maps that they follow from.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from -1 to 1
    pub fn forward(&self, images: Tensor<4>) -> (Tensor<2>, Tensor<4>) {
        let features = self.body.features(images);
        (self.body.outputs(features.clone()).flatten(1, 3), features)
    }
}
