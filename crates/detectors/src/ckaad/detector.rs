use burn::module::Module;
use ckaad_anomaly_map::{AnomalyMapper, ImageScore};
use ckaad_auto_encoder::{AutoEncoder, FrozenAutoEncoder};
use ckaad_backbone::BackboneConfig;
use ckaad_ops::FeatureMap;
use ckaad_parameters::{NamedTensors, collect};

use crate::{Detector, Inputs, Scored};

/// The largest distance at one scale: that of opposite vectors.
const LARGEST_DISTANCE: f32 = 2.0;

/// The distance of features from their reconstruction, at every pixel.
pub struct CkaadDetector {
    auto_encoder: AutoEncoder,
    frozen: FrozenAutoEncoder,
    image_score: ImageScore,
    mapper: AnomalyMapper,
    scales: usize,
}

impl CkaadDetector {
    /// Freezes the auto-encoder of a backbone's features; gradients that it may track are left behind. Maps have the images'
    /// size.
    pub fn new(
        auto_encoder: &AutoEncoder,
        image_score: ImageScore,
        backbone: &BackboneConfig,
        image_size: usize,
    ) -> Self {
        let auto_encoder = auto_encoder.valid();
        Self {
            frozen: auto_encoder.frozen(),
            auto_encoder,
            image_score,
            mapper: AnomalyMapper::new(image_size, image_size),
            scales: backbone.stages.len(),
        }
    }
}

impl Detector for CkaadDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let features: Vec<FeatureMap> = inputs
            .features
            .iter()
            .cloned()
            .map(FeatureMap::blocked)
            .collect();
        let reconstructions = self.frozen.forward(&features);
        self.mapper
            .maps(&features, &reconstructions)
            .into_iter()
            .map(|map| Scored {
                score: self.image_score.of(&map),
                map: Some(map),
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        collect(&self.auto_encoder)
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, LARGEST_DISTANCE * self.scales as f32]
    }
}
