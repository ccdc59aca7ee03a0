//! FastFlow (Yu et al., 2021), as the unofficial programs of gathierry and anomalib have it: at every scale an invertible network learns to
//! bring the features of normal images to a standard normal distribution; what comes to lie far out is anomalous.
//!
//! They look at stages 1 to 3 of a ResNet-18 or a Wide ResNet-50-2 in batches of 32, for 500 epochs; here the backbone, its stages, the batch
//! and the epochs are the configuration's.

mod detector;
mod flow;
mod trainer;

use ckaad_backbone::{BackboneConfig, BlockKind};
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::detector::FastFlowDetector;
pub use self::flow::{Flow, FlowConfig, Image};
use self::trainer::FastFlowTrainer;
pub use self::trainer::Learner;
use crate::error::{counts, positive};
use crate::permutation::permutation;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

/// The flow, and how it learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of the flow of a scale.
    pub steps: usize,
    /// Adam's.
    pub learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: 8,
            learning_rate: 1e-3,
        }
    }
}

impl Settings {
    fn flow(self, setup: &Setup<'_>) -> FlowConfig {
        let backbone = setup.backbone.config();
        FlowConfig {
            shapes: setup.shapes(),
            steps: self.steps,
            // The wide features of deep networks are looked at position by position in every other step.
            kernels: match backbone.variant.block() {
                BlockKind::Basic => vec![[3; 2]],
                BlockKind::Bottleneck => vec![[3; 2], [1; 2]],
            },
            norms: true,
            precision: backbone.precision,
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            features: true,
            passes: Passes::Epochs,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        counts(&[("detector.steps", self.steps, 64)])?;
        let multiple = 2 << backbone.stages.last().copied().unwrap_or(1);
        if !image_size.is_multiple_of(multiple) {
            let stages = &backbone.stages;
            let reason = format!("must be a multiple of {multiple} for stages {stages:?}");
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        positive(&[("detector.learning_rate", self.learning_rate)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let order = |level: usize, step: usize, channels: usize| {
            permutation(setup.seed, level * self.steps + step, channels)
        };
        let device = setup.device.clone().autodiff();
        let flow = self.flow(setup).init(setup.seed, order, &device);
        Box::new(FastFlowTrainer {
            learner: Learner::new(flow, self.learning_rate),
            image_size: setup.image_size,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let (config, size) = (self.flow(setup), setup.image_size);
        let detector = FastFlowDetector::from_parameters(&config, size, parameters, setup.device)?;
        Ok(Box::new(detector))
    }
}
