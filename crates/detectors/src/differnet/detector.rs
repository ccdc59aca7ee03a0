use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::Backbone;
use ckaad_data::{MEAN, STD};
use ckaad_parameters::{NamedTensors, collect};

use super::flow::order_name;
use super::{Flow, FlowConfig};
use crate::permutation::{load, to_parameter};
use crate::pooling::{Pooling, pooled, values};
use crate::rotation::Images;
use crate::{Detector, DetectorError, Inputs, Scored};

/// A picture shows no map of a system without.
const RANGE: [f32; 2] = [0.0, 1.0];

/// How unlikely a flow finds images, turned all around.
pub(super) struct DifferNetDetector {
    pub(super) flow: Flow,
    pub(super) backbone: Backbone,
    /// In how many directions an image is looked at.
    pub(super) views: usize,
    pub(super) device: Device,
}

/// A flow from a model's parameters.
pub(super) fn flow(
    config: &FlowConfig,
    parameters: NamedTensors,
    device: &Device,
) -> Result<Flow, DetectorError> {
    load(parameters, |order| {
        config.zeros(|block, width| order(&order_name(block), width), device)
    })
}

/// Normalised images with black around them.
pub(super) fn black_around(images: Tensor<4>) -> Images {
    let black: Vec<f32> = MEAN
        .iter()
        .zip(STD)
        .map(|(mean, std)| -mean / std)
        .collect();
    Images::new(images, &black)
}

/// The mean of every channel of turned images, a vector for each.
pub(super) fn vectors(
    backbone: &Backbone,
    images: &Images,
    angles: &[f64],
    device: &Device,
) -> Tensor<2> {
    let inputs = Inputs {
        masks: None,
        features: backbone.maps(images.turned(angles)),
        images: None,
    };
    let pooled = pooled(&inputs, &[Pooling::Mean]);
    let shape = [pooled.len(), pooled.first().map_or(0, Vec::len)];
    Tensor::from_data(TensorData::new(pooled.concat(), shape), device)
}

/// The mean square of every vector's numbers: how far out it came to lie.
pub fn distances(z: Tensor<2>) -> Vec<f64> {
    values(z.square().mean_dim(1))
        .into_iter()
        .map(f64::from)
        .collect()
}

impl Detector for DifferNetDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let Some(images) = inputs.images.clone().map(black_around) else {
            panic!("differnet asks for images");
        };
        let mut scores = vec![0.0; images.len()];
        for view in 0..self.views {
            let angle = 360.0 * view as f64 / self.views as f64;
            let angles = vec![angle; images.len()];
            let vectors = vectors(&self.backbone, &images, &angles, &self.device);
            let of_view = distances(self.flow.forward(vectors).z);
            for (score, of_view) in scores.iter_mut().zip(of_view) {
                *score += of_view / self.views as f64;
            }
        }
        let scored = scores.into_iter().map(|score| Scored { score, map: None });
        scored.collect()
    }

    fn parameters(&self) -> NamedTensors {
        let mut parameters = collect(&self.flow);
        for (name, order) in self.flow.orders() {
            parameters.insert(name, to_parameter(order));
        }
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        RANGE
    }
}
