//! PReNet (Pang et al., KDD 2023) on pooled frozen features: a small network learns to tell how many of two images are anomalous; the score of
//! an image is what it says of pairs with the training images. Learns when it has seen every image once; tells no places.
//!
//! The authors' network and steps, on features of a frozen backbone instead of tables. Partners are all training images instead of 30 drawn ones:
//! a pair's score is linear in what the network makes of either, so that this costs nothing.

mod detector;
mod learner;
mod network;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::PreNetDetector;
use self::trainer::PreNetTrainer;
use crate::error::{ROUNDS, counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Pooling, Setup, System, Trainer};

pub use self::learner::{Learner, Pair, Step};
pub use self::network::Network;

/// What is looked at, and how it is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What every channel is pooled to.
    pub pooling: Vec<Pooling>,
    /// Rounds of 20 steps each, on 512 pairs.
    pub rounds: usize,
    /// RMSprop's.
    pub learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pooling: vec![Pooling::Mean],
            rounds: 50,
            learning_rate: 1e-3,
        }
    }
}

impl Settings {
    /// Before it has learned.
    fn network(&self, setup: &Setup<'_>) -> Network {
        let features = Pooling::features(&self.pooling, setup.backbone.config());
        Network::random(features, &mut ChaCha8Rng::seed_from_u64(setup.seed))
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
        Pooling::check(&self.pooling)?;
        counts(&[("detector.rounds", self.rounds, ROUNDS)])?;
        positive(&[("detector.learning_rate", self.learning_rate)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(PreNetTrainer::new(self.clone(), setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = PreNetDetector::from_parameters(self, setup, parameters)?;
        Ok(Box::new(detector))
    }
}
