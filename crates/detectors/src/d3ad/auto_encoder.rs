//! Images to latent maps and back: in the place of Stable Diffusion's auto-encoder, for which there are no weights here.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, conv2d};

use crate::layers::{Conv, Normed};
use crate::plain_norm::{PlainNorm, Statistics};
use crate::planes::doubled;

/// Channels of an image, and of a latent map.
const COLOURS: usize = 3;
pub(super) const LATENT: usize = 4;
/// Added to variances.
const EPSILON: f64 = 1e-5;

/// Halves images a few times to maps of four channels, each of mean 0 and variance 1, and paints them again.
#[derive(Module, Debug)]
pub struct AutoEncoder {
    down: Vec<Normed>,
    bottom: Conv2d,
    norm: PlainNorm,
    top: Normed,
    up: Vec<Normed>,
    out: Conv2d,
    #[module(skip)]
    precision: Precision,
}

impl AutoEncoder {
    /// With `width` channels where maps are as large as images, twice as many after every halving; to be filled.
    pub(super) fn zeros(
        width: usize,
        halvings: usize,
        precision: Precision,
        device: &Device,
    ) -> Self {
        let first = std::iter::once(Conv::plain([COLOURS, width], 3));
        let halving = |level: usize| Conv {
            stride: 2,
            ..Conv::plain([width << level, width << (level + 1)], 3)
        };
        let down = first.chain((0..halvings).map(halving));
        let deepest = width << halvings;
        let doubling = |level: usize| Conv::plain([width << (level + 1), width << level], 3);
        let up = (0..halvings).rev().map(doubling);
        Self {
            down: down.map(|conv| conv.normed(precision, device)).collect(),
            bottom: Conv::new([deepest, LATENT], 3).init(device),
            norm: PlainNorm::new(LATENT, EPSILON, device),
            top: Conv::plain([LATENT, deepest], 3).normed(precision, device),
            up: up.map(|conv| conv.normed(precision, device)).collect(),
            out: Conv::new([width, COLOURS], 3).init(device),
            precision,
        }
    }

    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from -1 to 1
    /// - output: `[batch, 4, side / 2^halvings, ...]`
    pub fn encode(&self, images: Tensor<4>) -> Tensor<4> {
        let x = self.down.iter().fold(images, |x, layer| layer.relu(x));
        let x = conv2d(&self.bottom, x, self.precision);
        self.norm.forward(x, Statistics::Followed)
    }

    /// The way back.
    pub fn decode(&self, latent: Tensor<4>) -> Tensor<4> {
        let x = self.top.relu(latent);
        let layers = self.up.iter();
        let x = layers.fold(x, |x, layer| layer.relu(doubled(x)));
        conv2d(&self.out, x, self.precision)
    }
}
