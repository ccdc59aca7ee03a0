use std::f64::consts::TAU;

use burn::tensor::Tensor;
use ckaad_anomaly_map::{Align, AnomalyMap};
use ckaad_parameters::{NamedTensors, collect};

use super::trainer::coarsest;
use super::{Network, Output, Settings};
use crate::permutation::to_parameter;
use crate::pixels::signed;
use crate::planes::{Border, resized};
use crate::pooling::values;
use crate::ssim::similarity;
use crate::{Detector, Inputs, Scored};

/// Range of brightness.
const RANGE: f64 = 2.0;

/// How unlikely a flow finds features, and how unlike the image is what is painted from where they come to lie.
pub struct AeFlowDetector {
    settings: Settings,
    network: Network,
    image_size: usize,
}

/// The name that a step's order has among the parameters.
pub(super) fn order_name(step: usize) -> String {
    format!("order.{step}")
}

impl AeFlowDetector {
    /// Of networks that track no gradients.
    pub fn new(settings: Settings, network: Network, image_size: usize) -> Self {
        Self {
            settings,
            network,
            image_size,
        }
    }

    /// Scores images by their features: `-w exp(ln N(z) / d) - (1 - w) SSIM`, windows inside the image alone. The map is the flow's part at every
    /// position.
    ///
    /// # Shapes
    /// - features: `[batch, channels, height, width]`
    /// - images: `[batch, 3, image_size, image_size]`, brightness from -1 to 1
    pub fn score_images(&self, features: Tensor<4>, images: Tensor<4>) -> Vec<Scored> {
        let output = self.network.forward(features);
        let weight = self.settings.likelihood_weight;
        let likelihood = (output.log_normal() / output.dimensions()).exp();
        let scores = likelihood * -weight - structure(&output, &images) * (1.0 - weight);
        let mean = output.place.z.clone().square().mean_dim(1);
        let unlikely = (mean * -0.5 - 0.5 * TAU.ln()).exp() * -weight;
        let size = self.image_size;
        let maps = values(resized(unlikely, [size; 2], Align::Edges));
        let maps = maps.chunks_exact(size * size).map(|map| AnomalyMap {
            height: size,
            width: size,
            values: map.to_vec(),
        });
        let scored = values(scores).into_iter().zip(maps);
        scored
            .map(|(score, map)| Scored {
                score: f64::from(score),
                map: Some(map),
            })
            .collect()
    }
}

/// The structural similarity of painted images with the images, `[batch]`.
pub fn structure(output: &Output, images: &Tensor<4>) -> Tensor<1> {
    let similar = similarity(&output.painted, images, RANGE, Border::Inside);
    similar.flatten::<2>(1, 3).mean_dim(1).squeeze_dim(1)
}

impl Detector for AeFlowDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        self.score_images(coarsest(inputs), signed(inputs))
    }

    fn parameters(&self) -> NamedTensors {
        let mut parameters = collect(&self.network);
        for (step, (_, order)) in self.network.flow.orders().enumerate() {
            parameters.insert(order_name(step), to_parameter(order));
        }
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        [-(self.settings.likelihood_weight / TAU.sqrt()) as f32, 0.0]
    }
}
