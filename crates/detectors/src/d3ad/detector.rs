use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::module::adaptive_avg_pool2d;
use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper, ImageScore};
use ckaad_backbone::Backbone;
use ckaad_ops::{FeatureMap, normalise_channels};
use ckaad_parameters::{NamedTensor, NamedTensors, apply, collect};
use rayon::prelude::*;

use super::diffusion::{restored, shares_left};
use super::memory::Memory;
use super::{AutoEncoder, Settings, UNet};
use crate::pixels::{normalised, signed};
use crate::planes::resized;
use crate::pooling::values;
use crate::{Detector, DetectorError, Inputs, Scored};

const MEMORY: &str = "memory";
const RANGE: &str = "range";
/// Weights of what latent maps and features differ by.
const LATENT_WEIGHT: f64 = 0.85;
const FEATURE_WEIGHT: f64 = 0.15;

/// Both networks as one, for their parameters' names.
#[derive(Module, Debug)]
pub(super) struct Networks {
    pub(super) auto_encoder: AutoEncoder,
    pub(super) unet: UNet,
}

/// How far images are from what they would be without anomalies.
pub(super) struct D3adDetector {
    pub(super) networks: Networks,
    pub(super) memory: Memory,
    pub(super) backbone: Backbone,
    pub(super) settings: Settings,
    pub(super) image_size: usize,
}

/// What is remembered of every image: its finest features, averaged on a grid of at most `side` by `side`.
pub(super) fn seen(features: &[Tensor<4>], side: usize) -> Vec<Vec<f32>> {
    let Some(finest) = features.first() else {
        panic!("d3ad asks for features");
    };
    let [_, _, height, width] = finest.dims();
    let grid = [height.min(side), width.min(side)];
    let pooled = adaptive_avg_pool2d(finest.clone(), grid);
    let length: usize = pooled.dims()[1..].iter().product();
    let pooled = values(pooled);
    pooled.chunks_exact(length).map(<[f32]>::to_vec).collect()
}

/// Networks and memory from a model's parameters, if they are those of `networks` and of images of `length` numbers.
pub(super) fn from_parameters(
    networks: Networks,
    length: usize,
    mut parameters: NamedTensors,
) -> Result<(Networks, Memory), DetectorError> {
    let own = collect(&networks);
    let own = own
        .iter()
        .map(|(name, of)| (name.to_owned(), of.shape.clone()));
    let mut expected: BTreeMap<String, Vec<usize>> = own.collect();
    let images = parameters
        .get(MEMORY)
        .map_or(0, |memory| memory.values.len() / length);
    expected.insert(MEMORY.to_owned(), vec![images, length]);
    expected.insert(RANGE.to_owned(), vec![2]);
    parameters.check(&expected)?;
    let mut take = |name: &str| parameters.remove(name).map_or(Vec::new(), |of| of.values);
    let (values, range) = (take(MEMORY), take(RANGE));
    let memory = Memory {
        length,
        values,
        range: [range[0], range[1]],
    };
    Ok((apply(networks, &parameters)?, memory))
}

impl D3adDetector {
    /// The latent maps without anomalies, each from a time of its own.
    fn restored(&self, latent: &Tensor<4>, starts: &[usize]) -> Tensor<4> {
        let left = shares_left();
        let mut rows: Vec<Option<Tensor<4>>> = vec![None; starts.len()];
        for (first, &start) in starts.iter().enumerate() {
            if rows[first].is_some() {
                continue;
            }
            // All images of that time together.
            let same: Vec<usize> = (first..starts.len())
                .filter(|&other| starts[other] == start)
                .collect();
            let maps = same.iter().map(|&row| latent.clone().narrow(0, row, 1));
            let maps = Tensor::cat(maps.collect(), 0);
            let times = |time: usize| vec![time; same.len()];
            let noise = |x: Tensor<4>, time: usize| self.networks.unet.forward(x, &times(time));
            let clean = restored(maps, start, &left, noise);
            for (number, &row) in same.iter().enumerate() {
                rows[row] = Some(clean.clone().narrow(0, number, 1));
            }
        }
        Tensor::cat(rows.into_iter().flatten().collect(), 0)
    }

    /// What features of images and of painted ones differ by at every pixel.
    fn unlike(&self, features: &[Tensor<4>], painted: Tensor<4>) -> Tensor<4> {
        let size = [self.image_size; 2];
        let again = self.backbone.maps(normalised(painted));
        let scales = features.iter().zip(again.iter().map(FeatureMap::to_tensor));
        let count = features.len() as f64;
        let maps = scales.map(|(a, b)| {
            let [a, b] = [a.clone(), b].map(normalise_channels);
            resized((a * b).sum_dim(1).neg() + 1.0, size, Align::Edges) / count
        });
        let sum = maps.reduce(|sum, map| sum + map);
        sum.unwrap_or_else(|| panic!("d3ad asks for features"))
    }
}

impl Detector for D3adDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let (images, features) = (signed(inputs), inputs.tensors());
        let size = self.image_size;
        let remembered = seen(&features, self.settings.pooled_side());
        let starts = remembered.par_iter().map(|image| self.memory.start(image));
        let starts: Vec<usize> = starts.collect();
        let latent = self.networks.auto_encoder.encode(images);
        let clean = self.restored(&latent, &starts);
        let off = (latent - clean.clone()).abs().mean_dim(1);
        let off = resized(off, [size; 2], Align::Edges) * LATENT_WEIGHT;
        let painted = self.networks.auto_encoder.decode(clean).clamp(-1.0, 1.0);
        let maps = values(off + self.unlike(&features, painted) * FEATURE_WEIGHT);
        let mapper = AnomalyMapper::new(size, size);
        let maps = maps.par_chunks_exact(size * size).map(|map| {
            mapper.map(&[AnomalyMap {
                height: size,
                width: size,
                values: map.to_vec(),
            }])
        });
        maps.map(|map| Scored {
            score: ImageScore::Max.of(&map),
            map: Some(map),
        })
        .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let mut parameters = collect(&self.networks);
        let memory = NamedTensor {
            shape: vec![self.memory.len(), self.memory.length],
            values: self.memory.values.clone(),
        };
        parameters.insert(MEMORY.to_owned(), memory);
        let range = NamedTensor {
            shape: vec![2],
            values: self.memory.range.to_vec(),
        };
        parameters.insert(RANGE.to_owned(), range);
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }
}
