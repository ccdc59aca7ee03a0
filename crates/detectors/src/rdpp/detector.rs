use burn::module::Module;
use ckaad_anomaly_map::{AnomalyMapper, ImageScore};
use ckaad_auto_encoder::FrozenAutoEncoder;
use ckaad_ops::FeatureMap;
use ckaad_parameters::{NamedTensors, collect};

use super::Network;
use crate::{Detector, Inputs, Scored};

/// The largest distance at one scale: that of opposite vectors.
const LARGEST_DISTANCE: f32 = 2.0;

/// The distance of features from what the student makes of their projections, at every pixel.
pub struct RdppDetector {
    network: Network,
    student: FrozenAutoEncoder,
    image_score: ImageScore,
    mapper: AnomalyMapper,
}

impl RdppDetector {
    /// Freezes the networks; gradients that they may track are left behind.
    pub fn new(network: &Network, image_score: ImageScore, mapper: AnomalyMapper) -> Self {
        let network = network.valid();
        Self {
            student: network.student.frozen(),
            network,
            image_score,
            mapper,
        }
    }
}

impl Detector for RdppDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let projected = self.network.project(&inputs.tensors()).into_iter();
        let projected: Vec<FeatureMap> = projected.map(FeatureMap::new).collect();
        let features = inputs.features.iter().cloned().map(FeatureMap::blocked);
        let features: Vec<FeatureMap> = features.collect();
        let maps = self
            .mapper
            .maps(&features, &self.student.forward(&projected));
        maps.into_iter()
            .map(|map| Scored {
                score: self.image_score.of(&map),
                map: Some(map),
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        collect(&self.network)
    }

    fn map_range(&self) -> [f32; 2] {
        let scales = self.network.projections.scales.len();
        [0.0, LARGEST_DISTANCE * scales as f32]
    }
}
