//! DeSTSeg (Zhang et al., CVPR 2023): anomalies are drawn into normal images; a student learns to see of them what a frozen teacher sees of the
//! clean images, then another network learns to tell from both where the anomalies are.
//!
//! The authors' teacher is stages 1 to 3 of a ResNet-18; they learn from images of 256 pixels in batches of 32, 1000 steps the student and 4000
//! the rest, with textures of the Describable Textures Dataset, and turn images as suits their kind. Here backbone, size, batch, epochs and
//! textures are the configuration's; the first fifth of all steps is the student's, and nothing is turned.

mod detector;
mod losses;
mod network;
mod trainer;

use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_parameters::{NamedTensors, apply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::trainer::DestSegTrainer;
use crate::error::{counts, positive};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::detector::DestSegDetector;
pub use self::losses::{
    SegmentLosses, distance, distances_product, products, shrunk, student_losses,
};
pub use self::network::{Encoder, Head, NetworkConfig, Student, Trunk, segment};
pub use self::trainer::Learner;

/// The networks, and how they learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Channels of the network that finds anomalies.
    pub segment_width: usize,
    /// That of the student (momentum 0.9, decay 1e-4).
    pub student_learning_rate: f64,
    /// That of the residual blocks of the network that finds anomalies.
    pub trunk_learning_rate: f64,
    /// That of its head.
    pub head_learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_width: 256,
            student_learning_rate: 0.4,
            trunk_learning_rate: 0.1,
            head_learning_rate: 0.01,
        }
    }
}

impl Settings {
    /// The student's encoder is a ResNet-18, one stage deeper than what the teacher shows.
    fn network(self, backbone: &BackboneConfig) -> NetworkConfig {
        let last = backbone.stages.last().copied().unwrap_or(1);
        NetworkConfig {
            encoder: (1..=last + 1).map(ResNetVariant::planes).collect(),
            teacher: backbone.channels(),
            segment_width: self.segment_width,
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
            anomalies: Anomalies::Drawn { percent: 100 },
        }
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        counts(&[("detector.segment_width", self.segment_width, 2048)])?;
        let last = backbone.stages.last().copied().unwrap_or(1);
        if last > 3 {
            let stages = format!("{:?}", backbone.stages);
            let reason = "must end with 3 at the most: destseg's student goes one stage deeper";
            return Err(DetectorError::setting("stages", stages, reason));
        }
        let multiple = 4 << last;
        if image_size == 0 || !image_size.is_multiple_of(multiple) {
            let reason = format!(
                "must be a positive multiple of {multiple} for stages {:?}",
                backbone.stages
            );
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        positive(&[
            ("detector.student_learning_rate", self.student_learning_rate),
            ("detector.trunk_learning_rate", self.trunk_learning_rate),
            ("detector.head_learning_rate", self.head_learning_rate),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let network = self.network(setup.backbone.config());
        Box::new(DestSegTrainer {
            learner: Learner::new(*self, network.init(setup.seed, &device)),
            image_size: setup.image_size,
            steps: setup.steps,
            time: 0,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        mut parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        use self::detector::{HEAD, STUDENT, TRUNK};
        let network = self.network(setup.backbone.config());
        let (student, trunk, head) = network.zeros(setup.device);
        let [of_trunk, of_head] = [TRUNK, HEAD].map(|part| parameters.take_prefixed(part));
        let learned = of_trunk.iter().chain(of_head.iter()).next().is_some();
        let segments = match learned {
            true => Some((apply(trunk, &of_trunk)?, apply(head, &of_head)?)),
            false => None,
        };
        let student = apply(student, &parameters.take_prefixed(STUDENT))?;
        let size = setup.image_size;
        Ok(Box::new(DestSegDetector::new(student, segments, size)))
    }
}
