//! Features and permutations by formula.

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_detectors::{Inputs, Reference};
use ckaad_ops::FeatureMap;

use crate::formula::{self, uniform};

/// Channels of ResNet-18's stages.
const CHANNELS: [usize; 4] = [64, 128, 256, 512];

/// Which features: of `count` images of `image` pixels, those of `defect` with a defect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maps<'a> {
    /// The name that they are drawn by.
    pub(super) name: &'a str,
    /// The name that what they share is drawn by.
    pub(super) base: &'a str,
    /// Images.
    pub(super) count: usize,
    /// Which stages, counted from 1.
    pub(super) stages: &'a [usize],
    /// Side of the images in pixels.
    pub(super) image: usize,
    /// Which images have a square of other features.
    pub(super) defect: &'a [usize],
    /// Seed of all formulas.
    pub(super) seed: u64,
}

/// A scale: its values `[count, channels, side, side]`, and that shape.
pub(super) type Scale = (Vec<f32>, [usize; 4]);

impl Maps<'_> {
    /// The scales, fine to coarse: `max(0, base + noise / 2)` with one base for all images; within a defect `max(0, 2 u)`.
    pub(super) fn scales(&self) -> Vec<Scale> {
        self.stages.iter().map(|&stage| self.scale(stage)).collect()
    }

    fn scale(&self, stage: usize) -> Scale {
        let (channels, side) = (CHANNELS[stage - 1], self.image >> (stage + 1));
        let length = channels * side * side;
        let formula = |name: String, count: usize| uniform(&name, count, self.seed);
        let base = formula(format!("{}.stage{stage}", self.base), length);
        let mut values = formula(format!("{}.stage{stage}", self.name), self.count * length);
        for image in values.chunks_exact_mut(length) {
            for (value, base) in image.iter_mut().zip(&base) {
                *value = (base + 0.5 * *value).max(0.0);
            }
        }
        if !self.defect.is_empty() {
            let name = format!("{}.defect.stage{stage}", self.name);
            let other = formula(name, self.count * length);
            let square = side / 4..side / 2;
            for &image in self.defect {
                for channel in image * channels..(image + 1) * channels {
                    for row in square.clone() {
                        let row = (channel * side + row) * side;
                        for at in row + square.start..row + square.end {
                            values[at] = (2.0 * other[at]).max(0.0);
                        }
                    }
                }
            }
        }
        (values, [self.count, channels, side, side])
    }

    /// The same as a detector sees it.
    pub(super) fn inputs(&self, device: &Device) -> Inputs {
        let scales = self.scales().into_iter();
        let map = |(values, shape): Scale| {
            FeatureMap::plain(Tensor::from_data(TensorData::new(values, shape), device))
        };
        Inputs {
            masks: None,
            images: None,
            features: scales.map(map).collect(),
        }
    }
}

/// Scales of one stage of images of several sizes, each drawn by a name of its own.
pub(super) fn scaled(
    name: &str,
    count: usize,
    stage: usize,
    images: &[usize],
    defect: &[usize],
    seed: u64,
) -> Vec<Scale> {
    let scale = |(scale, &image): (usize, &usize)| {
        let maps = Maps {
            name: &format!("{name}.scale{scale}"),
            base: &format!("base.scale{scale}"),
            count,
            stages: &[stage],
            image,
            defect,
            seed,
        };
        maps.scale(stage)
    };
    images.iter().enumerate().map(scale).collect()
}

/// What is usual by a sample of nearly normal numbers, each half the sum of twelve uniform ones.
pub(super) fn usual(name: &str, seed: u64) -> Reference {
    const COUNT: usize = 5000;
    const TERMS: usize = 12;
    let uniform = uniform(name, COUNT * TERMS, seed);
    let sum = |terms: &[f32]| terms.iter().copied().map(f64::from).sum::<f64>();
    let sample = uniform.chunks_exact(TERMS).map(|terms| 0.5 * sum(terms));
    Reference::of(&sample.collect::<Vec<_>>())
}

/// The values of a parameter of that full name.
pub(super) fn parameter(name: &str, shape: &[usize], seed: u64) -> Vec<f64> {
    let values = formula::parameter(name, shape, seed).values;
    values.into_iter().map(f64::from).collect()
}

/// `0..count` in the ascending order of the formula's values.
pub(super) fn order(name: &str, count: usize, seed: u64) -> Vec<usize> {
    let values = uniform(name, count, seed);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}
