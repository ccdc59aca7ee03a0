use ckaad_anomaly_map::ImageScore;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, apply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::detector::CkaadDetector;
use super::networks::{auto_encoder_config, size_multiple};
use super::trainer::CkaadTrainer;
use super::{Discriminator, Learner, Method, Schedule};
use crate::error::{positive, weight};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

/// The settings of CKAAD.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How anomalous images are used.
    pub method: Method,
    /// The norm of the auto-encoder.
    pub norm: Norm,
    /// How an image's score follows from its anomaly map.
    pub image_score: ImageScore,
    /// The auto-encoder's learning rate.
    pub learning_rate: f64,
    /// The discriminator's learning rate.
    pub discriminator_learning_rate: f64,
    /// How both learning rates change over a training.
    pub schedule: Schedule,
    /// Weight of the adversarial (or subtracted) loss.
    pub lambda: f64,
    /// Weight of reconstructed against anomalous features in the discriminator's loss, in `[0, 1]`.
    pub gamma: f64,
    /// The energy margin.
    pub margin: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: Method::CkaPatch,
            norm: Norm::Instance,
            image_score: ImageScore::Top100,
            learning_rate: 1e-3,
            discriminator_learning_rate: 1e-4,
            schedule: Schedule::Constant,
            lambda: 0.02,
            gamma: 0.5,
            margin: 5.0,
        }
    }
}

impl Settings {
    fn check_networks(&self, backbone: &BackboneConfig, size: usize) -> Result<(), DetectorError> {
        let stages = format!("{:?}", backbone.stages);
        if backbone
            .stages
            .windows(2)
            .any(|pair| pair[1] != pair[0] + 1)
        {
            let reason =
                "must be consecutive: the decoder goes from each stage to the next finer one";
            return Err(DetectorError::setting("stages", stages, reason));
        }
        let multiple = size_multiple(&backbone.stages);
        if !size.is_multiple_of(multiple) {
            let reason = format!("must be a positive multiple of {multiple} for stages {stages}");
            return Err(DetectorError::setting("image_size", size, reason));
        }
        if self.norm == Norm::Instance && size < 2 * multiple {
            let reason = format!(
                "must be at least {} for stages {stages}: an instance norm of a single position tells nothing",
                2 * multiple
            );
            return Err(DetectorError::setting("image_size", size, reason));
        }
        let image_discriminator = matches!(self.method, Method::Gan | Method::CkaImg);
        if image_discriminator && !size.is_power_of_two() {
            let reason = format!("must be a power of two for the method {}", self.method);
            return Err(DetectorError::setting("image_size", size, reason));
        }
        Ok(())
    }

    /// Networks that have learned nothing yet.
    pub(super) fn untrained(&self, setup: &Setup<'_>) -> CkaadTrainer {
        let backbone = setup.backbone.config();
        let device = setup.device.clone().autodiff();
        let auto_encoder = auto_encoder_config(backbone, self.norm).init(setup.seed, &device);
        // Another seed: parameters of the same name in both networks must not start with the same values.
        let seed = setup.seed.wrapping_add(1);
        let discriminator =
            Discriminator::new(self.method, backbone, setup.image_size, seed, &device);
        CkaadTrainer {
            learner: Learner::new(*self, auto_encoder, discriminator),
            backbone: backbone.clone(),
            image_size: setup.image_size,
            steps: setup.steps,
            time: 0,
            gradients: Vec::new(),
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            features: true,
            passes: Passes::Epochs,
            anomalies: if self.method.uses_anomalies() {
                Anomalies::Used {
                    instead: "--method recon",
                }
            } else {
                Anomalies::Ignored
            },
        }
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        self.check_networks(backbone, image_size)?;
        positive(&[
            ("detector.learning_rate", self.learning_rate),
            (
                "detector.discriminator_learning_rate",
                self.discriminator_learning_rate,
            ),
            ("detector.margin", self.margin),
        ])?;
        weight("detector.lambda", self.lambda)?;
        if !(0.0..=1.0).contains(&self.gamma) {
            let reason = "must be within 0 and 1";
            return Err(DetectorError::setting("detector.gamma", self.gamma, reason));
        }
        Ok(())
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(self.untrained(setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let backbone = setup.backbone.config();
        let config = auto_encoder_config(backbone, self.norm);
        let auto_encoder = apply(config.zeros(setup.device), &parameters)?;
        Ok(Box::new(CkaadDetector::new(
            &auto_encoder,
            self.image_score,
            backbone,
            setup.image_size,
        )))
    }
}
