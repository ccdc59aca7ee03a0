//! The network that says what noise there is in a latent map.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{silu, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use ckaad_ops::{Precision, conv2d, linear};

use super::auto_encoder::LATENT;
use crate::layers::Conv;
use crate::planes::doubled;

/// The longest wave of the time's embedding.
const LONGEST: f64 = 10_000.0;

/// The shape of a [`UNet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UNetConfig {
    /// Channels of the largest maps, a multiple of the groups.
    pub width: usize,
    /// What the channels are multiplied by at every level; maps are halved from one to the next.
    pub multipliers: &'static [usize],
    /// Residual blocks of a level on the way down; there is one more on the way up.
    pub blocks: usize,
    /// Levels at which positions look at each other.
    pub attention: &'static [usize],
    /// Groups of channels that are normalised together.
    pub groups: usize,
    /// How exactly convolutions multiply.
    pub precision: Precision,
}

/// Two convolutions beside a shortcut; the time is added between them.
#[derive(Module, Debug)]
struct Block {
    norm_1: GroupNorm,
    conv_1: Conv2d,
    time: Linear,
    norm_2: GroupNorm,
    conv_2: Conv2d,
    shortcut: Option<Conv2d>,
    #[module(skip)]
    precision: Precision,
}

/// Every position looks at all others.
#[derive(Module, Debug)]
struct Attention {
    norm: GroupNorm,
    ask: Conv2d,
    out: Conv2d,
    #[module(skip)]
    precision: Precision,
}

/// A block, and what follows it.
#[derive(Module, Debug)]
struct Stage {
    block: Block,
    attention: Option<Attention>,
    /// Changes the size: by a stride on the way down, after a doubling on the way up.
    resize: Option<Conv2d>,
}

/// Says what noise there is in a latent map at a time.
#[derive(Module, Debug)]
pub struct UNet {
    time_1: Linear,
    time_2: Linear,
    input: Conv2d,
    down: Vec<Stage>,
    middle: Vec<Stage>,
    up: Vec<Stage>,
    norm: GroupNorm,
    out: Conv2d,
    #[module(skip)]
    precision: Precision,
    #[module(skip)]
    width: usize,
}

impl UNetConfig {
    /// The network, to be filled.
    pub(super) fn zeros(&self, device: &Device) -> UNet {
        let last = self.multipliers.len() - 1;
        let channels = |level: usize| self.width * self.multipliers[level];
        let affine = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let mut kept = vec![self.width];
        let mut at = self.width;
        let mut down = Vec::new();
        for level in 0..=last {
            for block in 0..self.blocks {
                let halves = level < last && block + 1 == self.blocks;
                let resize = halves.then(|| Conv {
                    stride: 2,
                    ..Conv::new([channels(level); 2], 3)
                });
                down.push(self.stage([at, channels(level)], level, resize, device));
                at = channels(level);
                kept.push(at);
                if halves {
                    kept.push(at);
                }
            }
        }
        let attends = self.attention.contains(&last);
        let mut first = self.stage([at, at], last, None, device);
        first.attention = attends.then(|| self.attention(at, device));
        let mut second = self.stage([at, at], last, None, device);
        second.attention = None;
        let mut up = Vec::new();
        for level in (0..=last).rev() {
            for block in 0..=self.blocks {
                let joined = kept.pop().unwrap_or(0);
                let doubles = level > 0 && block == self.blocks;
                let resize = doubles.then(|| Conv::new([channels(level); 2], 3));
                up.push(self.stage([at + joined, channels(level)], level, resize, device));
                at = channels(level);
            }
        }
        UNet {
            time_1: affine(self.width, 4 * self.width),
            time_2: affine(4 * self.width, 4 * self.width),
            input: Conv::new([LATENT, self.width], 3).init(device),
            down,
            middle: vec![first, second],
            up,
            norm: self.norm(self.width * self.multipliers[0], device),
            out: Conv::new([self.width * self.multipliers[0], LATENT], 3).init(device),
            precision: self.precision,
            width: self.width,
        }
    }

    fn norm(&self, channels: usize, device: &Device) -> GroupNorm {
        GroupNormConfig::new(self.groups, channels).init(device)
    }

    fn stage(
        &self,
        [from, to]: [usize; 2],
        level: usize,
        resize: Option<Conv>,
        device: &Device,
    ) -> Stage {
        let block = Block {
            norm_1: self.norm(from, device),
            conv_1: Conv::new([from, to], 3).init(device),
            time: LinearConfig::new(4 * self.width, to).init(device),
            norm_2: self.norm(to, device),
            conv_2: Conv::new([to, to], 3).init(device),
            shortcut: (from != to).then(|| Conv::new([from, to], 1).init(device)),
            precision: self.precision,
        };
        let attends = self.attention.contains(&level);
        Stage {
            block,
            attention: attends.then(|| self.attention(to, device)),
            resize: resize.map(|conv| conv.init(device)),
        }
    }

    fn attention(&self, channels: usize, device: &Device) -> Attention {
        Attention {
            norm: self.norm(channels, device),
            ask: Conv::new([channels, 3 * channels], 1).init(device),
            out: Conv::new([channels, channels], 1).init(device),
            precision: self.precision,
        }
    }
}

impl Block {
    fn forward(&self, x: Tensor<4>, time: &Tensor<2>) -> Tensor<4> {
        let inner = silu(self.norm_1.forward(x.clone()));
        let inner = conv2d(&self.conv_1, inner, self.precision);
        let time = linear(&self.time, silu(time.clone()), self.precision);
        let [batch, channels] = time.dims();
        let inner = inner + time.reshape([batch, channels, 1, 1]);
        let inner = silu(self.norm_2.forward(inner));
        let inner = conv2d(&self.conv_2, inner, self.precision);
        let x = match &self.shortcut {
            Some(shortcut) => conv2d(shortcut, x, self.precision),
            None => x,
        };
        x + inner
    }
}

impl Attention {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let asked = conv2d(&self.ask, self.norm.forward(x.clone()), self.precision);
        let asked = asked.reshape([batch, 3 * channels, height * width]);
        let part = |number: usize| asked.clone().narrow(1, number * channels, channels);
        let (query, key, value) = (part(0), part(1), part(2));
        let alike = query.swap_dims(1, 2).matmul(key) / (channels as f64).sqrt();
        let seen = value.matmul(softmax(alike, 2).swap_dims(1, 2));
        let seen = seen.reshape([batch, channels, height, width]);
        x + conv2d(&self.out, seen, self.precision)
    }
}

impl Stage {
    fn forward(&self, x: Tensor<4>, time: &Tensor<2>) -> Tensor<4> {
        let x = self.block.forward(x, time);
        match &self.attention {
            Some(attention) => attention.forward(x),
            None => x,
        }
    }
}

impl UNet {
    /// The noise in noised latent maps.
    ///
    /// # Shapes
    /// - x, output: `[batch, 4, height, width]`; times: one for every map
    pub fn forward(&self, x: Tensor<4>, times: &[usize]) -> Tensor<4> {
        let time = self.embedded(times, &x.device());
        let mut x = conv2d(&self.input, x, self.precision);
        let mut kept = vec![x.clone()];
        for stage in &self.down {
            x = stage.forward(x, &time);
            kept.push(x.clone());
            if let Some(halve) = &stage.resize {
                x = conv2d(halve, x, self.precision);
                kept.push(x.clone());
            }
        }
        for stage in &self.middle {
            x = stage.forward(x, &time);
        }
        for stage in &self.up {
            if let Some(joined) = kept.pop() {
                x = Tensor::cat(vec![x, joined], 1);
            }
            x = stage.forward(x, &time);
            if let Some(widen) = &stage.resize {
                x = conv2d(widen, doubled(x), self.precision);
            }
        }
        conv2d(&self.out, silu(self.norm.forward(x)), self.precision)
    }

    /// Sines and cosines of the times at several wavelengths, then two layers.
    fn embedded(&self, times: &[usize], device: &Device) -> Tensor<2> {
        let half = self.width / 2;
        let waves = |&time: &usize| {
            let angle =
                move |at: usize| time as f64 * (-LONGEST.ln() * at as f64 / half as f64).exp();
            let cosines = (0..half).map(move |at| angle(at).cos() as f32);
            cosines.chain((0..half).map(move |at| angle(at).sin() as f32))
        };
        let values: Vec<f32> = times.iter().flat_map(waves).collect();
        let waves = Tensor::from_data(TensorData::new(values, [times.len(), 2 * half]), device);
        let inner = silu(linear(&self.time_1, waves, self.precision));
        linear(&self.time_2, inner, self.precision)
    }
}
