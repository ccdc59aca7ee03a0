//! The networks: an invertible one on features, and a decoder that paints the image from where they come to lie.

use std::f64::consts::TAU;

use burn::module::Module;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, conv_transpose2d, conv2d};
use ckaad_parameters::{Initialisation, fill};

use crate::fastflow::{Flow, FlowConfig, Image};
use crate::layers::Conv;

/// Channels of an image.
const COLOURS: usize = 3;
/// What the channels of the features are divided by after each doubling but the last.
const DIVISORS: [usize; 5] = [2, 4, 16, 32, 64];

/// The shape of a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkConfig {
    /// `[channels, height, width]` of the features.
    pub shape: [usize; 3],
    /// How often the features' size must be doubled for that of the images, from 1 to 6.
    pub doublings: usize,
    /// Steps of the flow.
    pub steps: usize,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// Doubles the size, then looks at neighbours.
#[derive(Module, Debug)]
struct Enlarge {
    up: ConvTranspose2d,
    conv: Conv2d,
}

/// Features to images.
#[derive(Module, Debug)]
pub struct Decoder {
    layers: Vec<Enlarge>,
    last: ConvTranspose2d,
    #[module(skip)]
    precision: Precision,
}

/// A flow and a decoder.
#[derive(Module, Debug)]
pub struct Network {
    pub(super) flow: Flow,
    decoder: Decoder,
}

/// What the networks make of an image's features.
#[derive(Debug, Clone)]
pub struct Output {
    /// Where the features come to lie.
    pub place: Image,
    /// The image painted from there, `[batch, 3, side, side]`, from -1 to 1.
    pub painted: Tensor<4>,
}

impl NetworkConfig {
    /// Starting values by `seed`: convolutions Kaiming uniform, all scales of the flow 1. `order` gives the order of channels that a step ends with,
    /// by its number.
    pub fn init(
        &self,
        seed: u64,
        mut order: impl FnMut(usize) -> Vec<usize>,
        device: &Device,
    ) -> Network {
        let mut of_flow = |_: usize, step: usize, _: usize| order(step);
        let decoder = fill(self.decoder(device), |info| {
            Initialisation::FanInUniform.values(info, seed)
        });
        Network {
            flow: self.flow().init(seed, &mut of_flow, device),
            decoder,
        }
    }

    /// The same network to be filled from a file.
    pub fn zeros(&self, mut order: impl FnMut(usize) -> Vec<usize>, device: &Device) -> Network {
        let mut of_flow = |_: usize, step: usize, _: usize| order(step);
        Network {
            flow: self.flow().zeros(&mut of_flow, device),
            decoder: self.decoder(device),
        }
    }

    fn flow(&self) -> FlowConfig {
        FlowConfig {
            shapes: vec![self.shape],
            steps: self.steps,
            kernels: vec![[3, 1]],
            norms: false,
            precision: self.precision,
        }
    }

    fn decoder(&self, device: &Device) -> Decoder {
        let double = |channels: [usize; 2]| {
            let conv = Conv {
                stride: 2,
                padding: 0,
                ..Conv::new(channels, 2)
            };
            conv.init_transposed(device)
        };
        let inner = DIVISORS.iter().take(self.doublings - 1);
        let inner = inner.map(|divisor| (self.shape[0] / divisor).max(1));
        let widths: Vec<usize> = std::iter::once(self.shape[0]).chain(inner).collect();
        let enlarge = |pair: &[usize]| Enlarge {
            up: double([pair[0], pair[1]]),
            conv: Conv::new([pair[1], pair[1]], 3).init(device),
        };
        Decoder {
            layers: widths.windows(2).map(enlarge).collect(),
            last: double([widths[widths.len() - 1], COLOURS]),
            precision: self.precision,
        }
    }
}

impl Decoder {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.layers.iter().fold(x, |x, layer| {
            let x = relu(conv_transpose2d(&layer.up, x, self.precision));
            relu(conv2d(&layer.conv, x, self.precision))
        });
        tanh(conv_transpose2d(&self.last, x, self.precision))
    }
}

impl Network {
    /// # Shapes
    /// - features: `[batch, channels, height, width]`
    pub fn forward(&self, features: Tensor<4>) -> Output {
        let Some(place) = self.flow.forward(&[features]).pop() else {
            panic!("a flow has a scale");
        };
        Output {
            painted: self.decoder.forward(place.z.clone()),
            place,
        }
    }
}

impl Output {
    /// How many numbers the features of an image are.
    pub fn dimensions(&self) -> f64 {
        let [_, channels, height, width] = self.place.z.dims();
        (channels * height * width) as f64
    }

    /// The logarithm of the standard normal density where the features come to lie, `[batch]`: `-½ Σ z² - ½ d ln 2π`.
    pub fn log_normal(&self) -> Tensor<1> {
        let squares = self.place.z.clone().square().flatten::<2>(1, 3);
        let sums: Tensor<1> = squares.sum_dim(1).squeeze_dim(1);
        sums * -0.5 - 0.5 * self.dimensions() * TAU.ln()
    }
}
