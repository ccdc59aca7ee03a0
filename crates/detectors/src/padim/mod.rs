//! PaDiM (Defard et al., ICPR 2021): a Gaussian of some channels at every position, learned from normal images in one pass; the map is the
//! Mahalanobis distance of every position, the score its maximum. For images that are aligned.

mod detector;
mod embedding;
mod gaussians;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::PadimDetector;
use self::trainer::PadimTrainer;
use crate::error::counts;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::embedding::embedding;
pub use self::gaussians::{Covariance, Gaussians, Moments};

/// How many channels are looked at, and which covariances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How many of all channels, drawn by the seed; all, if there are no more.
    pub dimensions: usize,
    /// Which covariances: a full one takes the square of the numbers that a diagonal one does.
    pub covariance: Covariance,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dimensions: 100,
            covariance: Covariance::Full,
        }
    }
}

impl Settings {
    /// Positions of the finest scale, and how many channels are looked at.
    fn shape(&self, setup: &Setup<'_>) -> (usize, usize) {
        let backbone = setup.backbone.config();
        let side = setup.image_size >> (backbone.stages.first().map_or(0, |stage| stage + 1));
        let channels = backbone.channels().iter().sum::<usize>();
        (side * side, self.dimensions.min(channels))
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            features: true,
            passes: Passes::Once,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, _: &BackboneConfig, _: usize) -> Result<(), DetectorError> {
        counts(&[("detector.dimensions", self.dimensions, 4096)])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(PadimTrainer::new(*self, setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = PadimDetector::from_parameters(*self, setup, parameters)?;
        Ok(Box::new(detector))
    }
}
