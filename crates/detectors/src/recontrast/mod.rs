//! ReContrast (Guo et al., NeurIPS 2023): reverse distillation with two encoders, one frozen and one that learns. From what either sees, one
//! decoder learns to give back what the other sees; where it fails, the image is anomalous.
//!
//! The authors look at stages 1 to 3 of a Wide ResNet-50-2 in batches of 16 or 32, for 1000 to 3000 steps; here the backbone, its stages, the
//! batch and the epochs are the configuration's. Their encoder learns with batch norms whose statistics are those of the batch for some data
//! sets and those of the pretraining for others (OCT2017, six kinds of MVTec AD); here they are always those of the pretraining, folded into
//! the convolutions.

mod decoder;
mod detector;
mod losses;
mod trainer;

use ckaad_anomaly_map::ImageScore;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, apply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::{Networks, RecontrastDetector};
use self::trainer::RecontrastTrainer;
use crate::ckaad::auto_encoder_config;
use crate::error::{counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer, rd4ad};

pub use self::decoder::{Decoder, DecoderConfig};
pub use self::detector::Scorer;
pub use self::losses::{Objective, hard};
pub use self::trainer::Learner;

/// How it learns and scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// AdamW's for the decoder (betas 0.9 and 0.999, decay 1e-5).
    pub learning_rate: f64,
    /// AdamW's for the encoder that learns.
    pub encoder_learning_rate: f64,
    /// Steps until only the hardest positions are learned from: a tenth of the authors' 2000.
    pub mining_warm_up: usize,
    /// How an image's score follows from its anomaly map; the authors take the mean for ISIC2018.
    pub image_score: ImageScore,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            learning_rate: 2e-3,
            encoder_learning_rate: 1e-5,
            mining_warm_up: 200,
            image_score: ImageScore::Max,
        }
    }
}

impl Settings {
    /// How many standard deviations above the mean the distance of a position must lie for it to be learned from: from -3 to 1 during the
    /// warm-up.
    pub fn hardness(&self, step: u64) -> f64 {
        let warm = step as f64 / self.mining_warm_up as f64;
        (4.0 * warm - 3.0).min(1.0)
    }
}

/// The decoder that fits a backbone, in the same precision.
pub fn decoder_config(backbone: &BackboneConfig) -> DecoderConfig {
    DecoderConfig {
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
        counts(&[("detector.mining_warm_up", self.mining_warm_up, 1_000_000)])?;
        positive(&[
            ("detector.learning_rate", self.learning_rate),
            ("detector.encoder_learning_rate", self.encoder_learning_rate),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let decoder = decoder_config(setup.backbone.config()).init(setup.seed, &device);
        Box::new(RecontrastTrainer::new(
            Learner::new(*self, decoder),
            setup.backbone.encoder(),
            setup.image_size,
        ))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let networks = Networks {
            decoder: decoder_config(setup.backbone.config()).zeros(setup.device),
            encoder: setup.backbone.encoder(),
        };
        let networks = apply(networks, &parameters)?;
        let (score, size) = (self.image_score, setup.image_size);
        Ok(Box::new(RecontrastDetector::new(networks, score, size)))
    }
}
