//! A trained detector: everything that scoring an image needs.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ckaad_anomaly_map::{AnomalyMap, AnomalyMapper};
use ckaad_auto_encoder::{AutoEncoder, FrozenAutoEncoder};
use ckaad_backbone::Backbone;
use ckaad_ops::FeatureMap;

use crate::Config;

/// Scores images: frozen features, their reconstruction, and the distance of the two.
#[derive(Debug, Clone)]
pub struct Detector {
    pub(crate) config: Config,
    pub(crate) backbone: Backbone,
    pub(crate) auto_encoder: AutoEncoder,
    frozen: Arc<FrozenAutoEncoder>,
    device: Device,
    mapper: AnomalyMapper,
}

/// An image's anomaly map, and the score that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The higher, the more anomalous.
    pub score: f64,
    /// The map, at the size that the networks see.
    pub map: AnomalyMap,
}

impl Detector {
    /// Puts a detector together; gradients that `auto_encoder` may track are left behind.
    pub fn new(
        config: &Config,
        backbone: &Backbone,
        auto_encoder: &AutoEncoder,
        device: &Device,
    ) -> Self {
        let auto_encoder = auto_encoder.valid();
        Self {
            config: config.clone(),
            backbone: backbone.clone(),
            frozen: Arc::new(auto_encoder.frozen()),
            auto_encoder,
            device: device.clone(),
            mapper: AnomalyMapper::new(config.image_size, config.image_size),
        }
    }

    /// The settings of the run that trained it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Scores a batch of images.
    ///
    /// # Shapes
    /// - images: `[batch, 3, image_size, image_size]`, ImageNet-normalised
    pub fn score(&self, images: Tensor<4>) -> Vec<Scored> {
        self.score_maps(&self.backbone.maps(images))
    }

    pub(crate) fn score_features(&self, features: &[Tensor<4>]) -> Vec<Scored> {
        let maps: Vec<FeatureMap> = features.iter().cloned().map(FeatureMap::new).collect();
        self.score_maps(&maps)
    }

    fn score_maps(&self, features: &[FeatureMap]) -> Vec<Scored> {
        let reconstructions = self.frozen.forward(features);
        let rule = self.config.image_score;
        self.mapper
            .maps(features, &reconstructions)
            .into_iter()
            .map(|map| Scored {
                score: rule.of(&map),
                map,
            })
            .collect()
    }
}
