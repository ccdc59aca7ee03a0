//! AA-BiGAN (Tian et al., IJCAI 2022): an encoder and a generator learn from each other by what two critics say, of images with their codes and of
//! pairs of images; labelled anomalous images are told apart from both normal and generated ones.
//!
//! The authors learn from images of 32 pixels in batches of 200 for 1000 epochs and stop when the critics have become too good; here size,
//! batch and epochs are the configuration's, and nothing stops. An image is scored by what it differs by from what is generated from its code,
//! or by its code: whichever tells the validation images better. Encoder and generator take their steps from gradients at the same parameters.
//! The anomaly map, the squared difference of pixels, is ours. Images of more than 32 pixels are halved more often.

mod detector;
mod losses;
mod network;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::trainer::AaBiganTrainer;
use crate::error::{counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::detector::{AaBiganDetector, ScoredBy, Seen};
pub use self::losses::{Batch, CriticLosses, Losses};
pub use self::network::{CriticXx, CriticXz, Critics, Encoder, Generator, NetworkConfig};
pub use self::trainer::Learner;

/// Least side of an image, and most channels of the smallest maps.
const LEAST_SIDE: usize = 8;
const MOST_CHANNELS: usize = 8192;
/// Positions of the smallest maps, among which a code is divided.
const POSITIONS: usize = 16;

/// The networks, and how they learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Channels of the largest maps.
    pub width: usize,
    /// Numbers that an image is encoded by, a multiple of 16.
    pub latent: usize,
    /// What a critic makes of them.
    pub latent_layer: usize,
    /// Width of the critics' hidden layers.
    pub hidden: usize,
    /// Adam's for encoder and generator (betas 0.5 and 0.9).
    pub learning_rate: f64,
    /// The critics'.
    pub critic_learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 32,
            latent: 128,
            latent_layer: 512,
            hidden: 1024,
            learning_rate: 1e-4,
            critic_learning_rate: 2.5e-5,
        }
    }
}

impl Settings {
    fn network(self, setup: &Setup<'_>) -> NetworkConfig {
        NetworkConfig {
            image_size: setup.image_size,
            width: self.width,
            latent: self.latent,
            latent_layer: self.latent_layer,
            hidden: self.hidden,
            precision: setup.backbone.config().precision,
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
            features: false,
            passes: Passes::Epochs,
            anomalies: Anomalies::Used {
                instead: "--labelled-ratio 0",
            },
        }
    }

    fn check(&self, _: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        if image_size < LEAST_SIDE || !image_size.is_power_of_two() {
            let reason = format!("must be a power of two of at least {LEAST_SIDE} for aa-bigan");
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        counts(&[
            (
                "detector.width",
                self.width,
                MOST_CHANNELS * LEAST_SIDE / image_size,
            ),
            ("detector.latent", self.latent, 4096),
            ("detector.latent_layer", self.latent_layer, 8192),
            ("detector.hidden", self.hidden, 8192),
        ])?;
        if !self.latent.is_multiple_of(POSITIONS) {
            let reason = format!("must be a multiple of {POSITIONS}");
            return Err(DetectorError::setting(
                "detector.latent",
                self.latent,
                reason,
            ));
        }
        positive(&[
            ("detector.learning_rate", self.learning_rate),
            ("detector.critic_learning_rate", self.critic_learning_rate),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let networks = self.network(setup).init(setup.seed, &device);
        Box::new(AaBiganTrainer {
            learner: Learner::new(*self, networks),
            seed: setup.seed,
            time: 0,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let (encoder, generator, _) = self.network(setup).zeros(setup.device);
        let detector = AaBiganDetector::from_parameters(encoder, generator, parameters)?;
        Ok(Box::new(detector))
    }
}
