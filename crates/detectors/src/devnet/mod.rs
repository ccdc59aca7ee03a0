//! DevNet's head (Pang et al., KDD 2019; 2021 for images) on frozen features: labelled anomalous images are to score many deviations above what is
//! usual, normal ones as what is usual. An image's score is the mean of the tenth of its positions that are farthest from zero.
//!
//! The authors train the whole network, on two sizes of an image that is turned at random; here features are frozen, and every scale has a linear head of
//! its own. The steps are the authors' own, of 24 images of either kind, taken when all images have been seen once: features of all are in
//! memory until then.

mod detector;
mod head;
mod learner;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::DevNetDetector;
use self::trainer::DevNetTrainer;
use crate::error::{ROUNDS, counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::head::Head;
pub use self::learner::{Image, Learner, Step};

/// How it is learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Rounds of 20 steps each.
    pub rounds: usize,
    /// Adam's, a tenth of it after every fifth of the rounds. The authors' whole network takes 2e-4.
    pub learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 50,
            learning_rate: 1e-3,
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            features: true,
            passes: Passes::Once,
            anomalies: Anomalies::Required {
                instead: "--detector gaussian",
            },
        }
    }

    fn check(&self, _: &BackboneConfig, _: usize) -> Result<(), DetectorError> {
        counts(&[("detector.rounds", self.rounds, ROUNDS)])?;
        positive(&[("detector.learning_rate", self.learning_rate)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(DevNetTrainer::new(*self, setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = DevNetDetector::from_parameters(setup, parameters)?;
        Ok(Box::new(detector))
    }
}
