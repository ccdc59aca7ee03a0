//! A linear probe: logistic regression of labelled anomalous images against normal ones, on pooled features. Learns in one pass and
//! seconds, from a dozen labels.
//!
//! The score is the decision value. The map says how much every position adds to it: as far as the decision rests on means of positions, it is
//! the mean of such a map (before smoothing).

mod detector;
mod logistic;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::ProbeDetector;
use self::trainer::ProbeTrainer;
use crate::error::positive;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Pooling, Setup, System, Trainer};

/// What is looked at, and how closely samples are followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What every channel is pooled to.
    pub pooling: Vec<Pooling>,
    /// What the samples' losses count against the squares of the weights: scikit-learn's `C`.
    pub cost: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pooling: vec![
                Pooling::Mean,
                Pooling::Maximum,
                Pooling::Deviation,
                Pooling::Grid2,
                Pooling::Grid4,
            ],
            cost: 0.1,
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
        Pooling::check(&self.pooling)?;
        positive(&[("detector.cost", self.cost)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(ProbeTrainer::new(self.clone(), setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = ProbeDetector::from_parameters(self, setup, parameters)?;
        Ok(Box::new(detector))
    }
}
