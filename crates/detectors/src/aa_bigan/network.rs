//! The networks: an encoder and a generator, and two critics.

use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::{leaky_relu, sigmoid};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, conv_transpose2d, conv2d, linear};
use ckaad_parameters::Initialisation;

use crate::layers::Conv;
use crate::plain_norm::{PlainNorm, Statistics};
use crate::planes::doubled;

/// Channels of an image.
const COLOURS: usize = 3;
/// Side of all kernels.
const KERNEL: usize = 5;
/// Side of the smallest maps, and how many positions they have.
const SIDE: usize = 4;
const POSITIONS: usize = SIDE * SIDE;
/// Added to variances.
const EPSILON: f64 = 1e-4;
/// What is left of numbers below zero: in maps, and in the hidden layers of the critics.
const SLOPE: f64 = 0.01;
const SLOPE_XZ: f64 = 0.2;
const SLOPE_XX: f64 = 0.1;

/// The shape of the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Side of the images: 8, 16, 32, ...
    pub image_size: usize,
    /// Channels of the largest maps; they double as maps are halved.
    pub width: usize,
    /// Numbers that an image is encoded by, a multiple of 16.
    pub latent: usize,
    /// What a critic makes of them.
    pub latent_layer: usize,
    /// Width of the critics' hidden layers.
    pub hidden: usize,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    norm: PlainNorm,
}

/// Convolutions, each with a norm and the largest of every two by two pixels, down to maps of 4 by 4.
#[derive(Module, Debug)]
struct Body {
    layers: Vec<Layer>,
    #[module(skip)]
    precision: Precision,
}

/// Images to what they are encoded by.
#[derive(Module, Debug)]
pub struct Encoder {
    body: Body,
    last: Linear,
}

#[derive(Module, Debug)]
struct Enlarge {
    conv: ConvTranspose2d,
    norm: PlainNorm,
}

/// The way back.
#[derive(Module, Debug)]
pub struct Generator {
    layers: Vec<Enlarge>,
    last: ConvTranspose2d,
    #[module(skip)]
    precision: Precision,
}

/// Whether an image and a code belong together.
#[derive(Module, Debug)]
pub struct CriticXz {
    body: Body,
    latent: Linear,
    hidden: Linear,
    last: Linear,
}

/// Whether two images are the same.
#[derive(Module, Debug)]
pub struct CriticXx {
    first: Body,
    second: Body,
    hidden: Linear,
    last: Linear,
}

/// Both critics.
#[derive(Module, Debug)]
pub struct Critics {
    /// Of images and codes.
    pub xz: CriticXz,
    /// Of pairs of images.
    pub xx: CriticXx,
}

impl NetworkConfig {
    /// Starting values by `seed`: uniform, PyTorch's default.
    pub fn init(&self, seed: u64, device: &Device) -> (Encoder, Generator, Critics) {
        let (encoder, generator, critics) = self.zeros(device);
        let start = Initialisation::FanInUniform;
        (
            start.fill(encoder, seed),
            start.fill(generator, seed),
            start.fill(critics, seed),
        )
    }

    /// The same networks to be filled from a file.
    pub fn zeros(&self, device: &Device) -> (Encoder, Generator, Critics) {
        let encoder = Encoder {
            body: self.body(device),
            last: affine([self.flat(), self.latent], false, device),
        };
        let critics = Critics {
            xz: CriticXz {
                body: self.body(device),
                latent: affine([self.latent, self.latent_layer], true, device),
                hidden: affine([self.flat() + self.latent_layer, self.hidden], true, device),
                last: affine([self.hidden, 1], true, device),
            },
            xx: CriticXx {
                first: self.body(device),
                second: self.body(device),
                hidden: affine([2 * self.flat(), self.hidden], true, device),
                last: affine([self.hidden, 1], true, device),
            },
        };
        (encoder, self.generator(device), critics)
    }

    /// Channels of the maps, large to small.
    fn widths(&self) -> Vec<usize> {
        let halvings = (self.image_size / SIDE).max(2).ilog2();
        (0..halvings).map(|halving| self.width << halving).collect()
    }

    /// Numbers of the smallest maps.
    fn flat(&self) -> usize {
        let deepest = self.widths().last().copied().unwrap_or(1);
        deepest * POSITIONS
    }

    fn body(&self, device: &Device) -> Body {
        let widths: Vec<usize> = std::iter::once(COLOURS).chain(self.widths()).collect();
        let layer = |pair: &[usize]| Layer {
            conv: Conv::plain([pair[0], pair[1]], KERNEL).init(device),
            norm: PlainNorm::new(pair[1], EPSILON, device),
        };
        Body {
            layers: widths.windows(2).map(layer).collect(),
            precision: self.precision,
        }
    }

    fn generator(&self, device: &Device) -> Generator {
        let conv = |channels| Conv::plain(channels, KERNEL).init_transposed(device);
        let coarse_to_fine = self.widths().into_iter().rev();
        let widths: Vec<usize> = std::iter::once(self.latent / POSITIONS)
            .chain(coarse_to_fine)
            .collect();
        let layer = |pair: &[usize]| Enlarge {
            conv: conv([pair[0], pair[1]]),
            norm: PlainNorm::new(pair[1], EPSILON, device),
        };
        Generator {
            layers: widths.windows(2).map(layer).collect(),
            last: conv([self.width, COLOURS]),
            precision: self.precision,
        }
    }
}

fn affine([inputs, outputs]: [usize; 2], bias: bool, device: &Device) -> Linear {
    LinearConfig::new(inputs, outputs)
        .with_bias(bias)
        .with_initializer(Initializer::Zeros)
        .init(device)
}

impl Body {
    /// `[batch, numbers of the smallest maps]`.
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.layers.iter().fold(x, |x, layer| {
            let x = conv2d(&layer.conv, x, self.precision);
            let x = leaky_relu(layer.norm.forward(x, Statistics::Followed), SLOPE);
            max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
        });
        x.flatten(1, 3)
    }
}

impl Encoder {
    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from 0 to 1
    /// - output: `[batch, latent]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.body.forward(images);
        linear(&self.last, x, self.body.precision)
    }
}

impl Generator {
    /// # Shapes
    /// - latent: `[batch, latent]`
    /// - output: `[batch, 3, side, side]`, brightness from 0 to 1
    pub fn forward(&self, latent: Tensor<2>) -> Tensor<4> {
        self.with(latent, Statistics::Followed)
    }

    /// The same, with running statistics that follow those of the batch or not.
    pub(super) fn with(&self, latent: Tensor<2>, statistics: Statistics) -> Tensor<4> {
        let [batch, numbers] = latent.dims();
        let x = latent.reshape([batch, numbers / POSITIONS, SIDE, SIDE]);
        let x = self.layers.iter().fold(leaky_relu(x, SLOPE), |x, layer| {
            let x = conv_transpose2d(&layer.conv, x, self.precision);
            doubled(leaky_relu(layer.norm.forward(x, statistics), SLOPE))
        });
        sigmoid(conv_transpose2d(&self.last, x, self.precision))
    }
}

impl CriticXz {
    /// # Shapes
    /// - images: `[batch, 3, side, side]`; latent: `[batch, latent]`; output: `[batch, 1]`
    pub fn forward(&self, images: Tensor<4>, latent: Tensor<2>) -> Tensor<2> {
        let precision = self.body.precision;
        let latent = linear(&self.latent, latent, precision);
        let joined = Tensor::cat(vec![self.body.forward(images), latent], 1);
        let hidden = leaky_relu(linear(&self.hidden, joined, precision), SLOPE_XZ);
        linear(&self.last, hidden, precision)
    }
}

impl CriticXx {
    /// # Shapes
    /// - images, others: `[batch, 3, side, side]`; output: `[batch, 1]`
    pub fn forward(&self, images: Tensor<4>, others: Tensor<4>) -> Tensor<2> {
        let precision = self.first.precision;
        let both = vec![self.first.forward(images), self.second.forward(others)];
        let hidden = linear(&self.hidden, Tensor::cat(both, 1), precision);
        linear(&self.last, leaky_relu(hidden, SLOPE_XX), precision)
    }
}
