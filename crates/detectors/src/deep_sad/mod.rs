//! Deep SAD (Ruff et al., ICLR 2020) on pooled frozen features: a small network brings normal images near a centre and labelled anomalous ones
//! far from it; the score is the distance. Learns when it has seen every image once; tells no places.
//!
//! The authors train convolutional networks from images, after pre-training them as auto-encoders; here the pre-trained backbone stands for both.

mod detector;
mod encoder;
mod learner;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::DeepSadDetector;
use self::trainer::DeepSadTrainer;
use crate::error::{ROUNDS, counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Pooling, Setup, System, Trainer};

pub use self::encoder::Encoder;
pub use self::learner::{Label, Learner, Step};

/// Widths of the network after its input.
const WIDTHS: [usize; 3] = [128, 64, 32];

/// What is looked at, and how it is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What every channel is pooled to.
    pub pooling: Vec<Pooling>,
    /// How often the network sees all pooled features, once all are known.
    pub rounds: usize,
    /// Adam's, a tenth of it after a third of the rounds.
    pub learning_rate: f64,
    /// What anomalous images weigh against normal ones.
    pub eta: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pooling: vec![Pooling::Mean],
            rounds: 150,
            learning_rate: 1e-4,
            eta: 1.0,
        }
    }
}

impl Settings {
    /// From pooled features to the point that the centre is compared with.
    fn widths(&self, backbone: &BackboneConfig) -> Vec<usize> {
        let features = Pooling::features(&self.pooling, backbone);
        [features].into_iter().chain(WIDTHS).collect()
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            features: true,
            passes: Passes::Once,
            anomalies: Anomalies::Used {
                instead: "--labelled-ratio 0",
            },
        }
    }

    fn check(&self, _: &BackboneConfig, _: usize) -> Result<(), DetectorError> {
        Pooling::check(&self.pooling)?;
        counts(&[("detector.rounds", self.rounds, ROUNDS)])?;
        positive(&[
            ("detector.learning_rate", self.learning_rate),
            ("detector.eta", self.eta),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(DeepSadTrainer::new(self.clone(), setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = DeepSadDetector::from_parameters(self, setup, parameters)?;
        Ok(Box::new(detector))
    }
}
