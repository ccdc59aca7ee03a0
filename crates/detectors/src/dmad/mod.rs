//! DMAD (Liu et al., CVPR 2023), the variant for products (PPDM): [RD4AD](crate::rd4ad) on images that a network deforms towards what is usual,
//! with a bottleneck that replaces the coarsest features by a few codes.
//!
//! The authors look at stages 1 to 3 of a Wide ResNet-50-2 on images of 256 pixels in batches of 8 for 400 epochs, weigh the movement by 0.2 for
//! three kinds of products, scale both parts of the score by the least and the largest of the test set, and report the better of the figures with
//! and without the movement on the test images. Here the backbone, its stages, size, batch and epochs are the configuration's, parts of a score
//! are as they are, and the movement always counts.

mod detector;
mod losses;
mod network;
mod offset;
mod trainer;

use burn::module::Module;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, apply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::trainer::DmadTrainer;
use crate::ckaad::auto_encoder_config;
use crate::error::{counts, positive, weight};
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer, rd4ad};

pub use self::detector::{DmadDetector, Seen, look};
pub use self::losses::Objective;
pub use self::network::{Bottleneck, Decoder, Network, NetworkConfig, Output, Quantised, quantise};
pub use self::offset::{OffsetNetwork, Offsets, length, roughness, warp};
pub use self::trainer::Learner;

/// The networks, how they learn and how they score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Channels of the network that says how images are deformed.
    pub offset_width: usize,
    /// Channels that the features of a scale are reduced to.
    pub reduced: usize,
    /// Codes that the coarsest features are replaced by.
    pub codes: usize,
    /// AdamW's (betas 0.5 and 0.999, decay 0.01); it falls along half a cosine over all steps.
    pub learning_rate: f64,
    /// Weight of the deformations' losses.
    pub deformation_weight: f64,
    /// Weight of the movement in an image's score.
    pub offset_weight: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offset_width: 64,
            reduced: 64,
            codes: 200,
            learning_rate: 5e-3,
            deformation_weight: 1.0,
            offset_weight: 0.05,
        }
    }
}

impl Settings {
    fn network(self, backbone: &BackboneConfig) -> NetworkConfig {
        NetworkConfig {
            student: auto_encoder_config(backbone, Norm::Batch),
            reduced: self.reduced,
            codes: self.codes,
            offset_width: self.offset_width,
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
            features: false,
            passes: Passes::Epochs,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        rd4ad::Settings::default().check(backbone, image_size)?;
        counts(&[
            ("detector.offset_width", self.offset_width, 1024),
            ("detector.reduced", self.reduced, 1024),
            ("detector.codes", self.codes, 65_536),
        ])?;
        positive(&[("detector.learning_rate", self.learning_rate)])?;
        weight("detector.deformation_weight", self.deformation_weight)?;
        weight("detector.offset_weight", self.offset_weight)
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let network = self.network(setup.backbone.config());
        Box::new(DmadTrainer {
            learner: Learner::new(*self, network.init(setup.seed, &device)),
            backbone: setup.backbone.clone(),
            encoder: setup.backbone.encoder().no_grad(),
            image_size: setup.image_size,
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
        Ok(Box::new(DmadDetector::new(
            apply(network, &parameters)?,
            setup.backbone.clone(),
            setup.image_size,
            self.offset_weight,
        )))
    }
}
