//! DRAEM (Zavrtanik et al., ICCV 2021): anomalies are drawn into normal images; one network learns to paint them over, another to tell where they
//! were by comparing.
//!
//! The authors learn from images of 256 pixels in batches of 8 for 700 epochs, with textures of the Describable Textures Dataset; here size,
//! batch, epochs and textures are the configuration's. The learning rate falls to a fifth after 80 % and 90 % of all steps. The range of the
//! structural similarity is always 1; the authors' doubles it as soon as a rebuilt pixel falls below -0.5. An image that is turned takes its
//! anomaly along; theirs is turned before the anomaly is drawn.

mod detector;
mod losses;
mod network;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, apply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::trainer::DraemTrainer;
use crate::error::{counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::detector::DraemDetector;
pub use self::losses::Objective;
pub use self::network::{Hourglass, Network, NetworkConfig};
pub use self::trainer::Learner;

/// Sides that can be halved five times.
const MULTIPLE: usize = 32;

/// The networks, and how they learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Channels of the first maps of the network that rebuilds images.
    pub rebuild_width: usize,
    /// Channels of the first maps of the network that finds anomalies.
    pub segment_width: usize,
    /// Adam's.
    pub learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rebuild_width: 128,
            segment_width: 64,
            learning_rate: 1e-4,
        }
    }
}

impl Settings {
    fn network(self, backbone: &BackboneConfig) -> NetworkConfig {
        NetworkConfig {
            rebuild_width: self.rebuild_width,
            segment_width: self.segment_width,
            precision: backbone.precision,
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
            features: false,
            passes: Passes::Epochs,
            anomalies: Anomalies::Drawn { percent: 50 },
        }
    }

    fn check(&self, _: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        counts(&[
            ("detector.rebuild_width", self.rebuild_width, 512),
            ("detector.segment_width", self.segment_width, 512),
        ])?;
        if image_size == 0 || !image_size.is_multiple_of(MULTIPLE) {
            let reason = format!("must be a positive multiple of {MULTIPLE} for draem");
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        positive(&[("detector.learning_rate", self.learning_rate)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let network = self.network(setup.backbone.config());
        Box::new(DraemTrainer {
            settings: *self,
            learner: Learner::new(network.init(setup.seed, &device)),
            image_size: setup.image_size,
            seed: setup.seed,
            steps: setup.steps,
            time: 0,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let network = self.network(setup.backbone.config()).zeros(setup.device);
        let network = apply(network, &parameters)?;
        Ok(Box::new(DraemDetector::new(network, setup.image_size)))
    }
}
