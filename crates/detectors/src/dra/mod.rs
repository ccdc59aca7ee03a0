//! DRA's heads (Ding et al., CVPR 2022) on frozen features: one learns how whole normal images are, one what labelled anomalous ones have in common, one
//! what normal ones have not that a part of themselves was copied over, and one how images differ from a few normal ones. A score is the sum of
//! what the last three say, less what the first does.
//!
//! The authors train the whole network, on two sizes of an image that is turned at random; here features are frozen, and every scale has heads of its own.
//! The authors' references are drawn anew for every batch, and half of them have a part copied; here they are plain, and those of a model are fixed. The
//! steps are the authors' own, of 32 normal and 16 anomalous images, taken when all images have been seen once: features of all, and
//! normal images, are in memory until then. On a CPU of two cores they take a minute at 64 x 64 pixels, and as much longer as images are
//! larger; the training cannot be stopped between them.

mod cut_mix;
mod detector;
mod heads;
mod learner;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::{DraDetector, Shape};
use self::trainer::DraTrainer;
use crate::error::{ROUNDS, counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::heads::Heads;
pub use self::learner::{Label, Learner, Scores, Step, position_scores};

/// How it is learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Rounds of 20 steps each.
    pub rounds: usize,
    /// Adam's, a tenth of it after every third of the rounds. The authors' whole network takes 2e-4.
    pub learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rounds: 30,
            learning_rate: 1e-3,
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
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
        Box::new(DraTrainer::new(*self, setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = DraDetector::from_parameters(&Shape::new(setup), parameters)?;
        Ok(Box::new(detector))
    }
}
