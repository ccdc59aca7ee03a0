use burn::tensor::Tensor;
use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper, ImageScore};
use ckaad_backbone::Backbone;
use ckaad_ops::{FeatureMap, normalise_channels};
use ckaad_parameters::{NamedTensors, collect};

use super::Network;
use super::network::Output;
use super::offset::Offsets;
use crate::planes::resized;
use crate::pooling::values;
use crate::{Detector, Inputs, Scored};

/// The largest distance at one scale: that of opposite vectors.
const LARGEST_DISTANCE: f32 = 2.0;

/// What a decoder cannot give back of the features of deformed images, brought back to the images.
pub struct DmadDetector {
    network: Network,
    backbone: Backbone,
    image_size: usize,
    offset_weight: f64,
}

/// What there is to say of an image.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where the features are not given back.
    pub map: AnomalyMap,
    /// The largest of it.
    pub map_score: f64,
    /// By how much the image was moved where it was moved most.
    pub offset_score: f64,
}

impl DmadDetector {
    /// Of networks that track no gradients. `offset_weight` is that of the movement in an image's score.
    pub fn new(
        network: Network,
        backbone: Backbone,
        image_size: usize,
        offset_weight: f64,
    ) -> Self {
        Self {
            network,
            backbone,
            image_size,
            offset_weight,
        }
    }
}

/// Maps and scores from what a network makes of images: the sum over scales of the distances at every position, brought back and smoothed.
///
/// # Shapes
/// `features[s]`: `[batch, channels(s), height(s), width(s)]`, of the deformed images of `size` pixels.
pub fn look(features: &[Tensor<4>], output: &Output, offsets: &Offsets, size: usize) -> Vec<Seen> {
    let scales = features.iter().zip(&output.features).map(|(a, b)| {
        let [a, b] = [a, b].map(|map| normalise_channels(map.clone()));
        let distance = (a * b).sum_dim(1).neg() + 1.0;
        resized(distance, [size; 2], Align::Corners)
    });
    let sum = scales.reduce(|sum, scale| sum + scale);
    let distances = sum.unwrap_or_else(|| panic!("there is at least one scale"));
    let maps = smoothed(offsets.bring_back(distances), size);
    let moved = smoothed(offsets.moved(), size);
    maps.into_iter()
        .zip(moved)
        .map(|(map, moved)| Seen {
            map_score: ImageScore::Max.of(&map),
            offset_score: ImageScore::Max.of(&moved),
            map,
        })
        .collect()
}

fn smoothed(maps: Tensor<4>, size: usize) -> Vec<AnomalyMap> {
    let mapper = AnomalyMapper::new(size, size);
    let maps = values(maps);
    let maps = maps.chunks_exact(size * size);
    maps.map(|map| {
        mapper.map(&[AnomalyMap {
            height: size,
            width: size,
            values: map.to_vec(),
        }])
    })
    .collect()
}

impl Detector for DmadDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let Some(images) = inputs.images.clone() else {
            panic!("dmad asks for images");
        };
        let offsets = self.network.offset.forward(images.clone());
        let features = self.backbone.maps(offsets.deform(images));
        let features: Vec<Tensor<4>> = features.iter().map(FeatureMap::to_tensor).collect();
        let output = self.network.reconstruct(&features);
        let seen = look(&features, &output, &offsets, self.image_size).into_iter();
        seen.map(|seen| Scored {
            score: seen.map_score + self.offset_weight * seen.offset_score,
            map: Some(seen.map),
        })
        .collect()
    }

    fn parameters(&self) -> NamedTensors {
        collect(&self.network)
    }

    fn map_range(&self) -> [f32; 2] {
        let scales = self.backbone.config().stages.len();
        [0.0, LARGEST_DISTANCE * scales as f32]
    }
}
