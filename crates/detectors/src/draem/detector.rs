use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use ckaad_anomaly_map::AnomalyMap;
use ckaad_parameters::{NamedTensors, collect};

use super::Network;
use crate::pixels::unit;
use crate::planes::{Border, windowed};
use crate::pooling::values;
use crate::{Detector, Inputs, Scored};

/// Side of the squares whose means an image is scored by.
const SQUARE: usize = 21;

/// Where images look as if an anomaly had been drawn into them.
pub struct DraemDetector {
    network: Network,
    image_size: usize,
}

impl DraemDetector {
    /// Of networks that track no gradients.
    pub fn new(network: Network, image_size: usize) -> Self {
        Self {
            network,
            image_size,
        }
    }

    /// Scores images whose brightness goes from 0 to 1: the probability that a pixel is anomalous as map, and the largest mean of a square of
    /// 21 by 21 pixels, zero outside the image, as score.
    ///
    /// # Shapes
    /// - images: `[batch, 3, image_size, image_size]`
    pub fn score_unit(&self, images: Tensor<4>) -> Vec<Scored> {
        let (_, logits) = self.network.forward(images);
        let maps = softmax(logits, 1).narrow(1, 1, 1);
        let means = windowed(maps.clone(), &[1.0 / SQUARE as f64; SQUARE], Border::Zeros);
        let scores = values(means.flatten::<2>(1, 3).max_dim(1));
        let size = self.image_size;
        let maps = values(maps);
        let maps = maps.chunks_exact(size * size).map(|map| AnomalyMap {
            height: size,
            width: size,
            values: map.to_vec(),
        });
        let scored = scores.into_iter().zip(maps);
        scored
            .map(|(score, map)| Scored {
                score: f64::from(score),
                map: Some(map),
            })
            .collect()
    }
}

impl Detector for DraemDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        self.score_unit(unit(inputs))
    }

    fn parameters(&self) -> NamedTensors {
        collect(&self.network)
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }
}
