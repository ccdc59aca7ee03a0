//! The networks: a student that gives the teacher's features of corrupted images as if they were clean, and one that finds anomalies where both
//! differ.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use ckaad_anomaly_map::Align;
use ckaad_auto_encoder::{ConvNorm, Norm};
use ckaad_ops::{Activation, FeatureMap, Layer, LayerShape, Precision, Residual, Resize, conv2d};
use ckaad_parameters::Initialisation;

use crate::layers::{Conv, Normed};
use crate::planes::resized;

/// How far apart the taps of the head's convolutions are.
const RATES: [usize; 3] = [6, 12, 18];

/// The shape of the networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Channels of the student's encoder at its stages, from the first to one beyond the teacher's last.
    pub encoder: Vec<usize>,
    /// Channels of the teacher's features, fine to coarse; the last of them are those of the encoder's last stage but one.
    pub teacher: Vec<usize>,
    /// Channels of the network that finds anomalies.
    pub segment_width: usize,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

type Blocks = Vec<Residual<ConvNorm>>;

/// A ResNet of basic blocks.
#[derive(Module, Debug)]
pub struct Encoder {
    stem: ConvNorm,
    stages: Vec<Blocks>,
}

/// An encoder that learns from nothing, and a decoder.
#[derive(Module, Debug)]
pub struct Student {
    encoder: Encoder,
    decoder: Vec<Blocks>,
}

/// Residual blocks behind the products of teacher and student.
#[derive(Module, Debug)]
pub struct Trunk {
    pub(super) blocks: Blocks,
}

/// Sees every position with its surroundings near and far, and says how anomalous it is (atrous spatial pyramid pooling).
#[derive(Module, Debug)]
pub struct Head {
    pool: Normed,
    rate: Vec<Normed>,
    fuse: Normed,
    last: Normed,
    out: Conv2d,
    #[module(skip)]
    precision: Precision,
}

impl NetworkConfig {
    /// Starting values by `seed`: convolutions Kaiming normal.
    pub fn init(&self, seed: u64, device: &Device) -> (Student, Trunk, Head) {
        let (student, trunk, head) = self.zeros(device);
        let start = Initialisation::KaimingNormal;
        (
            start.fill(student, seed),
            start.fill(trunk, seed),
            start.fill(head, seed),
        )
    }

    /// The same networks to be filled from a file.
    pub fn zeros(&self, device: &Device) -> (Student, Trunk, Head) {
        (self.student(device), self.trunk(device), self.head(device))
    }

    fn layer(&self, shape: &LayerShape, device: &Device) -> ConvNorm {
        ConvNorm::new(*shape, Norm::Batch, self.precision, device)
    }

    /// Two blocks, of which the first changes channels and size.
    fn blocks(&self, [from, to]: [usize; 2], resize: Resize, device: &Device) -> Blocks {
        let block = |from: usize, resize: Resize| {
            Residual::shapes(from, to, 1, 64, resize).with_layers(|shape| self.layer(shape, device))
        };
        vec![block(from, resize), block(to, Resize::Keep)]
    }

    /// A ResNet with those channels at its stages.
    pub fn resnet(&self, channels: &[usize], device: &Device) -> Encoder {
        let stem = LayerShape {
            channels: [3, channels[0]],
            kernel: 7,
            resize: Resize::Halve,
        };
        let first = self.blocks([channels[0]; 2], Resize::Keep, device);
        let others = channels.windows(2);
        let others = others.map(|pair| self.blocks([pair[0], pair[1]], Resize::Halve, device));
        Encoder {
            stem: self.layer(&stem, device),
            stages: std::iter::once(first).chain(others).collect(),
        }
    }

    fn student(&self, device: &Device) -> Student {
        let deepest = self.encoder.last().copied().unwrap_or(1);
        let coarse_to_fine = self.teacher.iter().rev().copied();
        let widths: Vec<usize> = [deepest; 2].into_iter().chain(coarse_to_fine).collect();
        let pairs = widths.windows(2);
        Student {
            encoder: self.resnet(&self.encoder, device),
            decoder: pairs
                .map(|pair| self.blocks([pair[0], pair[1]], Resize::Keep, device))
                .collect(),
        }
    }

    fn trunk(&self, device: &Device) -> Trunk {
        let channels = [self.teacher.iter().sum(), self.segment_width];
        Trunk {
            blocks: self.blocks(channels, Resize::Keep, device),
        }
    }

    fn head(&self, device: &Device) -> Head {
        let (w, precision) = (self.segment_width, self.precision);
        let rate = |rate: usize| {
            let conv = Conv {
                padding: rate,
                dilation: rate,
                ..Conv::plain([w, w], 3)
            };
            conv.normed(precision, device)
        };
        Head {
            pool: Conv::plain([w, w], 1).normed(precision, device),
            rate: RATES.map(rate).into(),
            fuse: Conv::plain([(RATES.len() + 1) * w, w], 3).normed(precision, device),
            last: Conv::plain([w, w], 3).normed(precision, device),
            out: Conv::new([w, 1], 1).init(device),
            precision,
        }
    }
}

fn through(blocks: &Blocks, x: Tensor<4>) -> Tensor<4> {
    blocks.iter().fold(x, |x, block| block.forward(&x))
}

impl Encoder {
    /// The maps of all stages.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`
    /// - output at stage s (from 1): `[batch, channels(s), side / 2^(s + 1), ...]`
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let stem = self.stem.forward(&images, None, Activation::Relu);
        let mut x = FeatureMap::plain(stem).max_pool(3, 2, 1).to_tensor();
        let mut maps = Vec::with_capacity(self.stages.len());
        for blocks in &self.stages {
            x = through(blocks, x);
            maps.push(x.clone());
        }
        maps
    }
}

impl Student {
    /// What the teacher would see if the images were clean, fine to coarse.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`; output: as the teacher's features
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let maps = self.encoder.forward(images);
        let (Some(deepest), [first, others @ ..]) = (maps.last(), &self.decoder[..]) else {
            panic!("a student has stages");
        };
        let mut x = through(first, deepest.clone());
        let mut outputs = Vec::with_capacity(others.len());
        for (blocks, map) in others.iter().zip(maps.iter().rev().skip(1)) {
            let [_, _, height, width] = map.dims();
            x = through(blocks, resized(x, [height, width], Align::Edges));
            outputs.push(x.clone());
        }
        outputs.reverse();
        outputs
    }
}

impl Head {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = x.dims();
        let mean = self.pool.relu(x.clone().mean_dim(3).mean_dim(2));
        let channels = mean.dims()[1];
        let mut joined = vec![mean.expand([batch, channels, height, width])];
        joined.extend(self.rate.iter().map(|rate| rate.relu(x.clone())));
        let x = self.last.relu(self.fuse.relu(Tensor::cat(joined, 1)));
        sigmoid(conv2d(&self.out, x, self.precision))
    }
}

/// How anomalous every position is, from 0 to 1, by the [products](super::products) of teacher and student.
///
/// # Shapes
/// - products: `[batch, channels, height, width]`; output: `[batch, 1, height, width]`
pub fn segment(trunk: &Trunk, head: &Head, products: Tensor<4>) -> Tensor<4> {
    head.forward(through(&trunk.blocks, products))
}
