//! DifferNet (Rudolph et al., WACV 2021): an invertible network learns to bring one vector per image, the means of its features, to a standard
//! normal distribution. Images are looked at turned at random while it learns, and all around when they are scored. Tells no places.
//!
//! The authors pool an AlexNet's last features of the image in three sizes; here those of the stages of the configured backbone are pooled. They
//! score in 64 directions drawn at random; here these are evenly spread, so that the same image has the same score.

mod detector;
mod flow;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::DifferNetDetector;
use self::trainer::DifferNetTrainer;
use crate::error::{counts, positive};
use crate::permutation::permutation;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::detector::distances;
pub use self::flow::{Flow, FlowConfig, Image};
pub use self::trainer::Learner;
pub use crate::rotation::sources;

/// The flow, and how it learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Blocks of the flow.
    pub blocks: usize,
    /// Width of the hidden layers. With the authors' 2048 a model takes 600 MB, and going on with its training three times as much.
    pub hidden: usize,
    /// Adam's.
    pub learning_rate: f64,
    /// In how many directions a step looks at every image.
    pub views: usize,
    /// In how many directions an image is scored.
    pub test_views: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            blocks: 8,
            hidden: 2048,
            learning_rate: 2e-4,
            views: 4,
            test_views: 64,
        }
    }
}

impl Settings {
    fn flow(self, backbone: &BackboneConfig) -> FlowConfig {
        FlowConfig {
            width: backbone.channels().iter().sum(),
            blocks: self.blocks,
            hidden: self.hidden,
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

    fn check(&self, _: &BackboneConfig, _: usize) -> Result<(), DetectorError> {
        counts(&[
            ("detector.blocks", self.blocks, 64),
            ("detector.hidden", self.hidden, 4096),
            ("detector.views", self.views, 1024),
            ("detector.test_views", self.test_views, 1024),
        ])?;
        positive(&[("detector.learning_rate", self.learning_rate)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let order = |block, width| permutation(setup.seed, block, width);
        let config = self.flow(setup.backbone.config());
        let flow = config.init(setup.seed, order, &setup.device.clone().autodiff());
        Box::new(DifferNetTrainer {
            settings: *self,
            learner: self::Learner::new(flow, self.learning_rate),
            backbone: setup.backbone.clone(),
            seed: setup.seed,
            device: setup.device.clone(),
            time: 0,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let config = self.flow(setup.backbone.config());
        Ok(Box::new(DifferNetDetector {
            flow: detector::flow(&config, parameters, setup.device)?,
            backbone: setup.backbone.clone(),
            views: self.test_views,
            device: setup.device.clone(),
        }))
    }
}
