//! GANomaly (Akcay et al., ACCV 2018): a generator encodes and decodes images and encodes the result again; where both codes differ, the image is
//! anomalous. A critic makes it paint images as real ones.
//!
//! The authors learn from images of 32 pixels in batches of 64 for 15 epochs, scale scores by the least and the largest of the test set, and keep
//! the epoch with the best test figure; here size, batch and epochs are the configuration's, scores are as they are, and no epoch is chosen by
//! its test score. It has no anomaly map. A critic that starts anew loses its running statistics too.

mod network;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, apply, collect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::trainer::GanomalyTrainer;
use crate::error::{counts, positive, weight};
use crate::pixels::signed;
use crate::pooling::values;
use crate::{
    Anomalies, Detector, DetectorError, Inputs, Needs, Passes, Scored, Setup, System, Trainer,
};

pub use self::network::{Critic, Decoder, Encoder, Generated, Generator, NetworkConfig};
pub use self::trainer::{CriticLosses, GeneratorLosses, Learner};

/// Least side of an image, and most channels of the smallest maps.
const LEAST_SIDE: usize = 8;
const MOST_CHANNELS: usize = 16_384;
/// A picture shows no map of a system without.
const RANGE: [f32; 2] = [0.0, 1.0];

/// The networks, and how they learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Channels of the largest maps.
    pub width: usize,
    /// Numbers that an image is encoded by.
    pub latent: usize,
    /// Adam's (betas 0.5 and 0.999).
    pub learning_rate: f64,
    /// Weight of what the critic sees.
    pub adversarial_weight: f64,
    /// Weight of what the images differ by.
    pub reconstruction_weight: f64,
    /// Weight of what the codes differ by.
    pub encoding_weight: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 64,
            latent: 100,
            learning_rate: 2e-4,
            adversarial_weight: 1.0,
            reconstruction_weight: 50.0,
            encoding_weight: 1.0,
        }
    }
}

impl Settings {
    fn network(self, setup: &Setup<'_>) -> NetworkConfig {
        NetworkConfig {
            image_size: setup.image_size,
            width: self.width,
            latent: self.latent,
            precision: setup.backbone.config().precision,
        }
    }
}

/// By how much encoding again changes what images are encoded by.
pub(super) struct GanomalyDetector(Generator);

impl Detector for GanomalyDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let scores = values(self.0.forward(signed(inputs)).scores());
        let scored = scores.into_iter().map(|score| Scored {
            score: f64::from(score),
            map: None,
        });
        scored.collect()
    }

    fn parameters(&self) -> NamedTensors {
        collect(&self.0)
    }

    fn map_range(&self) -> [f32; 2] {
        RANGE
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
            features: false,
            passes: Passes::Epochs,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, _: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        if image_size < LEAST_SIDE || !image_size.is_power_of_two() {
            let reason = format!("must be a power of two of at least {LEAST_SIDE} for ganomaly");
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        counts(&[
            (
                "detector.width",
                self.width,
                MOST_CHANNELS * LEAST_SIDE / image_size,
            ),
            ("detector.latent", self.latent, 4096),
        ])?;
        positive(&[("detector.learning_rate", self.learning_rate)])?;
        weight("detector.adversarial_weight", self.adversarial_weight)?;
        weight("detector.reconstruction_weight", self.reconstruction_weight)?;
        weight("detector.encoding_weight", self.encoding_weight)
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let networks = self.network(setup).init(setup.seed, &device);
        let learner = Learner::new(*self, networks, setup.seed);
        Box::new(GanomalyTrainer(learner))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let (generator, _) = self.network(setup).zeros(setup.device);
        Ok(Box::new(GanomalyDetector(apply(generator, &parameters)?)))
    }
}
