//! The networks: an auto-encoder that paints anomalies over, and a U-Net that finds them by comparing.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};
use ckaad_anomaly_map::Align;
use ckaad_ops::{Precision, conv2d};
use ckaad_parameters::Initialisation;

use crate::layers::{Conv, Normed, Pair};
use crate::planes::resized;

/// Channels of an image.
const COLOURS: usize = 3;

/// The shape of a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Channels of the auto-encoder's first maps.
    pub rebuild_width: usize,
    /// Channels of the U-Net's first maps.
    pub segment_width: usize,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// Pairs of convolutions on maps that are halved again and again, then doubled as often; with or without the finer maps joined on the way
/// back.
#[derive(Module, Debug)]
pub struct Hourglass {
    down: Vec<Pair>,
    up: Vec<Normed>,
    merge: Vec<Pair>,
    out: Conv2d,
    #[module(skip)]
    joins: bool,
    #[module(skip)]
    precision: Precision,
}

/// Rebuilds images without their anomalies, and tells where those were.
#[derive(Module, Debug)]
pub struct Network {
    pub(super) rebuild: Hourglass,
    pub(super) segment: Hourglass,
}

impl NetworkConfig {
    /// Starting values by `seed`: convolutions normal, deviation 0.02.
    pub fn init(&self, seed: u64, device: &Device) -> Network {
        Initialisation::Narrow.fill(self.zeros(device), seed)
    }

    /// The same network to be filled from a file.
    pub fn zeros(&self, device: &Device) -> Network {
        Network {
            rebuild: self.rebuild(device),
            segment: self.segment(device),
        }
    }

    /// Four halvings; nothing but the smallest maps reaches the way back.
    fn rebuild(&self, device: &Device) -> Hourglass {
        let (w, precision) = (self.rebuild_width, self.precision);
        let back = [(8, 4), (4, 2), (2, 1), (1, 1)].map(|(a, b)| (a * w, b * w));
        let merge = |(a, b): (usize, usize)| Pair::new([a, a, b], precision, device);
        Hourglass {
            down: downwards(&[COLOURS, w, 2 * w, 4 * w, 8 * w, 8 * w], precision, device),
            up: back.map(|(a, _)| normed([a, a], precision, device)).into(),
            merge: back.map(merge).into(),
            out: Conv::new([w, COLOURS], 3).init(device),
            joins: false,
            precision,
        }
    }

    /// Five halvings; sees the rebuilt image and the image.
    fn segment(&self, device: &Device) -> Hourglass {
        let (w, precision) = (self.segment_width, self.precision);
        let back = [(8, 8, 8), (8, 4, 8), (4, 2, 4), (2, 1, 2), (1, 1, 1)];
        let back = back.map(|(a, b, joined)| (a * w, b * w, joined * w));
        let merge = |(_, b, joined)| Pair::new([b + joined, b, b], precision, device);
        let widths = [2 * COLOURS, w, 2 * w, 4 * w, 8 * w, 8 * w, 8 * w];
        Hourglass {
            down: downwards(&widths, precision, device),
            up: back
                .map(|(a, b, _)| normed([a, b], precision, device))
                .into(),
            merge: back.map(merge).into(),
            out: Conv::new([w, 2], 3).init(device),
            joins: true,
            precision,
        }
    }
}

fn normed(channels: [usize; 2], precision: Precision, device: &Device) -> Normed {
    Conv::new(channels, 3).normed(precision, device)
}

fn downwards(widths: &[usize], precision: Precision, device: &Device) -> Vec<Pair> {
    let pairs = widths.windows(2);
    pairs
        .map(|pair| Pair::new([pair[0], pair[1], pair[1]], precision, device))
        .collect()
}

impl Hourglass {
    /// # Shapes
    /// - x: `[batch, channels, height, width]`
    /// - output: `[batch, channels', height, width]`
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mut maps: Vec<Tensor<4>> = Vec::new();
        for pair in &self.down {
            let map = match maps.last() {
                None => pair.forward(x.clone()),
                Some(finer) => pair.forward(halved(finer.clone())),
            };
            maps.push(map);
        }
        let mut map = maps.pop().unwrap_or(x);
        for (up, merge) in self.up.iter().zip(&self.merge) {
            let [_, _, height, width] = map.dims();
            let size = [2 * height, 2 * width];
            map = up.relu(resized(map, size, Align::Corners));
            if let Some(finer) = maps.pop().filter(|_| self.joins) {
                map = Tensor::cat(vec![map, finer], 1);
            }
            map = merge.forward(map);
        }
        conv2d(&self.out, map, self.precision)
    }
}

/// The largest of every two by two pixels.
fn halved(x: Tensor<4>) -> Tensor<4> {
    max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
}

impl Network {
    /// Rebuilt images, and for every pixel the logits of "normal" and "anomalous".
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from 0 to 1; the side a multiple of 32
    /// - output: `[batch, 3, side, side]`, `[batch, 2, side, side]`
    pub fn forward(&self, images: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let rebuilt = self.rebuild.forward(images.clone());
        let joined = Tensor::cat(vec![rebuilt.clone(), images], 1);
        (rebuilt, self.segment.forward(joined))
    }
}
