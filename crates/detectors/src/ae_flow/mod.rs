//! AE-FLOW (Zhao, Ding and Zhang, ICLR 2023), as the unofficial program of Urukat has it but for the decoder's activations: an invertible network
//! brings frozen features of normal images to a standard normal distribution, and a decoder paints the image from there. What comes to lie far out,
//! or is painted unlike itself, is anomalous.
//!
//! They look at stage 3 of a Wide ResNet-50-2 on images of 256 pixels in batches of 16 for 100 epochs, and choose a threshold on the test
//! images; here the features are the coarsest of the configuration's backbone, size, batch and epochs are its own, and the threshold is chosen
//! as for every other system. Their program has no anomaly map; ours is the flow's part of the score at every position.

mod detector;
mod network;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::order_name;
use self::trainer::AeFlowTrainer;
use crate::error::{counts, positive};
use crate::permutation::{load, permutation};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::detector::{AeFlowDetector, structure};
pub use self::network::{Decoder, Network, NetworkConfig, Output};
pub use self::trainer::{Learner, Objective};

/// The least side of an image: that of the windows whose structures are compared, as a power of two.
const LEAST_SIDE: usize = 16;

/// The networks, how they learn and how they score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of the flow.
    pub steps: usize,
    /// Adam's.
    pub learning_rate: f64,
    /// Weight of the flow's loss, in [0, 1]; the rest is that of the painted image's.
    pub flow_weight: f64,
    /// Weight of the likelihood in the score, in [0, 1]; the rest is that of the structural similarity.
    pub likelihood_weight: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: 8,
            learning_rate: 1e-3,
            flow_weight: 0.5,
            likelihood_weight: 0.9,
        }
    }
}

impl Settings {
    fn network(self, setup: &Setup<'_>) -> NetworkConfig {
        let backbone = setup.backbone.config();
        let shape = setup.shapes().pop().unwrap_or([1; 3]);
        NetworkConfig {
            shape,
            doublings: backbone.stages.last().copied().unwrap_or(1) + 1,
            steps: self.steps,
            precision: backbone.precision,
        }
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
        counts(&[("detector.steps", self.steps, 64)])?;
        let multiple = LEAST_SIDE.max(2 << backbone.stages.last().copied().unwrap_or(1));
        if image_size == 0 || !image_size.is_multiple_of(multiple) {
            let stages = &backbone.stages;
            let reason = format!("must be a positive multiple of {multiple} for stages {stages:?}");
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        for (key, share) in [
            ("detector.flow_weight", self.flow_weight),
            ("detector.likelihood_weight", self.likelihood_weight),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(DetectorError::setting(key, share, "must be from 0 to 1"));
            }
        }
        positive(&[("detector.learning_rate", self.learning_rate)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let config = self.network(setup);
        let order = |step: usize| permutation(setup.seed, step, config.shape[0]);
        let network = config.init(setup.seed, order, &setup.device.clone().autodiff());
        Box::new(AeFlowTrainer {
            learner: Learner::new(*self, network),
            image_size: setup.image_size,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let config = self.network(setup);
        let network = load(parameters, |order| {
            let order = |step: usize| order(&order_name(step), config.shape[0]);
            config.zeros(order, setup.device)
        })?;
        Ok(Box::new(AeFlowDetector::new(
            *self,
            network,
            setup.image_size,
        )))
    }
}
