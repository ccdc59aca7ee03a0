//! RD++ (Tien et al., CVPR 2023): [RD4AD](crate::rd4ad) whose decoder sees projections of the features. They learn to make of an image with
//! noise on it what they make of the image itself.
//!
//! The authors project stages 1 to 3 of a Wide ResNet-50-2 in batches of 16 and keep the epoch that is best on the test images; here the
//! backbone, its stages and the batch are the configuration's, and no epoch is chosen by its test score. Their optimal-transport term is left
//! out: it compares a batch with the same batch in another order, and so is zero, with a gradient of zero.

mod detector;
mod losses;
mod network;
mod noise;
mod noised;
mod trainer;

use ckaad_anomaly_map::{AnomalyMapper, ImageScore};
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, apply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::noised::Noise;
use self::trainer::RdppTrainer;
use crate::ckaad::auto_encoder_config;
use crate::error::{counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer, rd4ad};

pub use self::detector::RdppDetector;
pub use self::losses::{Objective, contrast};
pub use self::network::{Network, NetworkConfig};
pub use self::trainer::Learner;

/// How it learns and scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Adam's for the decoder (betas 0.5 and 0.999).
    pub learning_rate: f64,
    /// Adam's for the projections.
    pub projection_learning_rate: f64,
    /// Weight of the projections' own loss.
    pub projection_weight: f64,
    /// How strong the noise is, where the brightness of a pixel goes from 0 to 1.
    pub noise: f64,
    /// Batches whose gradients are summed for a step.
    pub accumulation: usize,
    /// How an image's score follows from its anomaly map.
    pub image_score: ImageScore,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_rate: 5e-3,
            projection_learning_rate: 1e-3,
            projection_weight: 0.2,
            noise: 0.2,
            accumulation: 2,
            image_score: ImageScore::Max,
        }
    }
}

/// The networks that fit a backbone, in the same precision.
pub fn network_config(backbone: &BackboneConfig) -> NetworkConfig {
    NetworkConfig {
        channels: backbone.channels(),
        student: auto_encoder_config(backbone, Norm::Batch),
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
            features: true,
            passes: Passes::Epochs,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        rd4ad::Settings::default().check(backbone, image_size)?;
        counts(&[("detector.accumulation", self.accumulation, 1024)])?;
        positive(&[
            ("detector.learning_rate", self.learning_rate),
            (
                "detector.projection_learning_rate",
                self.projection_learning_rate,
            ),
            ("detector.projection_weight", self.projection_weight),
            ("detector.noise", self.noise),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let network = network_config(setup.backbone.config()).init(setup.seed, &device);
        Box::new(RdppTrainer {
            learner: Learner::new(*self, network),
            backbone: setup.backbone.clone(),
            noise: Noise {
                strength: self.noise,
                seed: setup.seed,
            },
            image_size: setup.image_size,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let config = network_config(setup.backbone.config());
        let network = apply(config.zeros(setup.device), &parameters)?;
        Ok(Box::new(RdppDetector::new(
            &network,
            self.image_score,
            AnomalyMapper::new(setup.image_size, setup.image_size),
        )))
    }
}
