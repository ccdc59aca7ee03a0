//! The network: at every scale a layer norm if there is to be one and an invertible map of steps, whose volume is known.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, softplus, tanh};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, conv2d};
use ckaad_parameters::{Initialisation, fill};

use crate::permutation::permute;

/// What the outputs of a step's convolutions are multiplied by.
const GENTLE: f64 = 0.1;
/// The largest logarithm of a channel's scale.
const CLAMP: f64 = 2.0;
/// The scale of all positions of a channel is `GENTLE * softplus(parameter)` with this beta.
const SOFTNESS: f64 = 0.5;
/// `2 ln(e^5 - 1)`: at this parameter the scale of a channel is 1.
const SCALE_OF_ONE: f32 = 9.986_479;

/// The shape of a [`Flow`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowConfig {
    /// `[channels, height, width]` of the features at every scale.
    pub shapes: Vec<[usize; 3]>,
    /// Steps at a scale.
    pub steps: usize,
    /// Sides of the kernels of a step's two convolutions, of one step after the other in turn.
    pub kernels: Vec<[usize; 2]>,
    /// Whether features go through a layer norm first.
    pub norms: bool,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// An affine coupling of half of the channels with the others, then a scale and an offset of every channel, then another order of
/// the channels.
#[derive(Module, Debug)]
struct Step {
    first: Conv2d,
    second: Conv2d,
    scale: Param<Tensor<1>>,
    offset: Param<Tensor<1>>,
    #[module(skip)]
    order: Vec<usize>,
    #[module(skip)]
    precision: Precision,
}

/// What is invertible of a scale.
#[derive(Module, Debug)]
struct Level {
    norm: Option<LayerNorm>,
    steps: Vec<Step>,
}

/// Invertible maps of the features of every scale.
#[derive(Module, Debug)]
pub struct Flow {
    levels: Vec<Level>,
}

/// Features where they came to lie, and how much the map enlarges volumes there.
#[derive(Debug, Clone)]
pub struct Image {
    /// `[batch, channels, height, width]`.
    pub z: Tensor<4>,
    /// The logarithm of the determinant of all steps, `[batch, 1]`.
    pub log_det: Tensor<2>,
}

impl FlowConfig {
    /// Starting values by `seed`: convolutions Kaiming uniform without offset, all scales 1. `order` gives the order of channels that a
    /// step ends with, by the step's level and number and the channels' number.
    pub fn init(
        &self,
        seed: u64,
        order: impl FnMut(usize, usize, usize) -> Vec<usize>,
        device: &Device,
    ) -> Flow {
        fill(self.zeros(order, device), |info| {
            if info.name.ends_with(".scale") {
                return vec![SCALE_OF_ONE; info.shape.iter().product()];
            }
            Initialisation::FanInUniform.values(info, seed)
        })
    }

    /// The same network to be filled from a file.
    pub fn zeros(
        &self,
        mut order: impl FnMut(usize, usize, usize) -> Vec<usize>,
        device: &Device,
    ) -> Flow {
        let level = |(level, shape): (usize, &[usize; 3])| Level {
            norm: self
                .norms
                .then(|| LayerNormConfig::new(shape.iter().product()).init(device)),
            steps: (0..self.steps)
                .map(|step| {
                    let kernels = self.kernels[step % self.kernels.len()];
                    let order = order(level, step, shape[0]);
                    self.step(shape[0], kernels, order, device)
                })
                .collect(),
        };
        Flow {
            levels: self.shapes.iter().enumerate().map(level).collect(),
        }
    }

    fn step(
        &self,
        channels: usize,
        kernels: [usize; 2],
        order: Vec<usize>,
        device: &Device,
    ) -> Step {
        let moved = channels / 2;
        let kept = channels - moved;
        let conv = |kernel: usize, outputs: usize| {
            let pad = kernel / 2;
            Conv2dConfig::new([kept, outputs], [kernel, kernel])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        Step {
            first: conv(kernels[0], kept),
            second: conv(kernels[1], 2 * moved),
            scale: Initializer::Zeros.init([channels], device),
            offset: Initializer::Zeros.init([channels], device),
            order,
            precision: self.precision,
        }
    }
}

impl Step {
    fn forward(&self, x: Tensor<4>) -> Image {
        let [_, channels, height, width] = x.dims();
        let moved = channels / 2;
        let [a, b] = split(x, channels - moved);
        let inner = relu(conv2d(&self.first, a.clone(), self.precision));
        let [raw, shift] = split(conv2d(&self.second, inner, self.precision) * GENTLE, moved);
        let log_scale = tanh(raw) * CLAMP;
        let joined = Tensor::cat(vec![a, b * log_scale.clone().exp() + shift], 1);
        let scale = softplus(self.scale.val(), SOFTNESS) * GENTLE;
        let of_channels = |x: Tensor<1>| x.reshape([1, channels, 1, 1]);
        let y = joined * of_channels(scale.clone()) + of_channels(self.offset.val());
        let of_positions = scale.log().sum() * (height * width) as f64;
        let log_det = log_scale.flatten::<2>(1, 3).sum_dim(1);
        Image {
            z: permute(y, &self.order),
            log_det: log_det + of_positions.unsqueeze::<2>(),
        }
    }
}

/// The first `at` channels, and the others.
fn split(x: Tensor<4>, at: usize) -> [Tensor<4>; 2] {
    let channels = x.dims()[1];
    [x.clone().narrow(1, 0, at), x.narrow(1, at, channels - at)]
}

impl Flow {
    /// Where the features of every scale come to lie.
    ///
    /// # Shapes
    /// As [`FlowConfig::shapes`], with a batch before them.
    pub fn forward(&self, features: &[Tensor<4>]) -> Vec<Image> {
        let levels = self.levels.iter().zip(features);
        levels
            .map(|(level, x)| {
                let mut image = level.steps.iter().fold(None, |image: Option<Image>, step| {
                    Some(match image {
                        None => step.forward(level.normalised(x)),
                        Some(before) => {
                            let after = step.forward(before.z);
                            Image {
                                log_det: before.log_det + after.log_det,
                                ..after
                            }
                        }
                    })
                });
                let Some(image) = image.take() else {
                    panic!("a flow has at least one step");
                };
                image
            })
            .collect()
    }

    /// What the first step of the first scale makes of its features, before and after.
    pub fn first_step(&self, features: &Tensor<4>) -> (Tensor<4>, Image) {
        let normalised = self.levels[0].normalised(features);
        (
            normalised.clone(),
            self.levels[0].steps[0].forward(normalised),
        )
    }

    /// The orders of channels by the names of their steps.
    pub(crate) fn orders(&self) -> impl Iterator<Item = (String, &[usize])> {
        self.levels
            .iter()
            .enumerate()
            .flat_map(|(level, of_level)| {
                let steps = of_level.steps.iter().enumerate();
                steps.map(move |(step, of_step)| (order_name(level, step), &of_step.order[..]))
            })
    }
}

/// The name that a step's order has among the parameters.
pub(super) fn order_name(level: usize, step: usize) -> String {
    format!("order.{level}.{step}")
}

impl Level {
    /// The norm goes over all channels and positions.
    fn normalised(&self, x: &Tensor<4>) -> Tensor<4> {
        let Some(norm) = &self.norm else {
            return x.clone();
        };
        let shape = x.dims();
        norm.forward(x.clone().flatten::<2>(1, 3)).reshape(shape)
    }
}

impl Image {
    /// What the flow learns to make small: the negative logarithm of the features' likelihood, but for a constant, `½ Σ z² - log |det|`; mean of
    /// all images.
    pub fn loss(&self) -> Tensor<1> {
        let square = self.z.clone().square().flatten::<2>(1, 3).sum_dim(1);
        (square * 0.5 - self.log_det.clone()).mean()
    }

    /// How unlikely every position is, up to a constant: `-exp(-½ mean z²)` of its channels, in `[-1, 0]`: `[batch, height, width]`.
    pub(super) fn unlikely(&self) -> Tensor<3> {
        let square = self.z.clone().square().mean_dim(1);
        (square * -0.5).exp().neg().squeeze_dim(1)
    }
}
