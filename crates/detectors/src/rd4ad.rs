//! RD4AD, reverse distillation (Deng and Li, CVPR 2022): a decoder learns to give back the features of normal images from what a bottleneck
//! leaves of them; where it fails, the image is anomalous.
//!
//! It is the reconstruction branch of [CKAAD](crate::ckaad) with batch norm and without critic. The authors reconstruct stages 1 to 3 of a
//! Wide ResNet-50-2 in batches of 16; here the backbone, its stages and the batch are the configuration's.

use ckaad_anomaly_map::ImageScore;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ckaad::{self, Method};
use crate::{Detector, DetectorError, Needs, Setup, System, Trainer};

/// How it learns and scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Adam's (betas 0.5 and 0.999).
    pub learning_rate: f64,
    /// How an image's score follows from its anomaly map.
    pub image_score: ImageScore,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_rate: 5e-3,
            image_score: ImageScore::Max,
        }
    }
}

impl Settings {
    /// The same as settings of CKAAD.
    fn branch(self) -> ckaad::Settings {
        ckaad::Settings {
            method: Method::Recon,
            norm: Norm::Batch,
            image_score: self.image_score,
            learning_rate: self.learning_rate,
            ..ckaad::Settings::default()
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        self.branch().needs()
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        self.branch().check(backbone, image_size)
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        self.branch().trainer(setup)
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        self.branch().load(setup, parameters)
    }
}
