//! PatchCore (Roth et al., CVPR 2022): patches of normal images are remembered, and a patch is as anomalous as it is far from
//! the nearest of them. Learns in one pass, without labels.
//!
//! Which patches are remembered is chosen exactly, greedily, on a random projection of them ([`k_centres`]). An image's score is that of its
//! farthest patch. The two programs that are in use, anomalib's and the authors' own, differ in the rest: [`Form`].

mod bounds;
mod coreset;
mod detector;
mod distance;
mod means;
mod memory;
mod neighbourhoods;
mod shadow;
mod trainer;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::PatchCoreDetector;
use self::trainer::PatchCoreTrainer;
use crate::error::counts;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::coreset::{Coreset, Start, k_centres};
pub use self::means::means;
pub use self::memory::{Memory, Nearest};
pub use self::neighbourhoods::{NUMBERS, neighbourhoods, window};

/// Which program is followed where they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// anomalib's: a patch is the mean of its neighbourhood, the first one remembered is random, and an image's score is re-weighted by the
    /// neighbours of what is nearest to its farthest patch.
    #[default]
    Means,
    /// The authors': a patch is its whole neighbourhood, averaged down to 1024 numbers, the first one remembered is far from ten random ones,
    /// and scores are squares.
    Neighbourhoods,
}

impl Form {
    /// Numbers of a patch.
    fn channels(self, backbone: &BackboneConfig) -> usize {
        match self {
            Self::Means => backbone.channels().iter().sum(),
            Self::Neighbourhoods => NUMBERS,
        }
    }

    /// `[channels, positions]`.
    fn patches(self, scales: &[&[f32]], shapes: &[[usize; 3]]) -> Vec<f32> {
        match self {
            Self::Means => means(scales, shapes),
            Self::Neighbourhoods => neighbourhoods(scales, shapes),
        }
    }
}

/// What is remembered, and how images are scored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which program is followed where they differ.
    pub form: Form,
    /// The share of all patches that is remembered, in `(0, 1]`.
    pub coreset: f64,
    /// To how many dimensions patches are projected while those to remember are chosen: anomalib takes about 300 (Johnson and Lindenstrauss's
    /// number), the authors 128. Patches of no more dimensions stay as they are.
    pub projection: usize,
    /// Among how many neighbours the nearest item weighs an image's score in the form `means`; 1 weighs nothing.
    pub neighbours: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            form: Form::Means,
            coreset: 0.1,
            projection: 320,
            neighbours: 9,
        }
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
        if !(self.coreset > 0.0 && self.coreset <= 1.0) {
            let reason = "must be above 0 and at most 1";
            return Err(DetectorError::setting(
                "detector.coreset",
                self.coreset,
                reason,
            ));
        }
        if self.form == Form::Neighbourhoods && self.neighbours != Self::default().neighbours {
            let (key, value) = ("detector.neighbours", self.neighbours);
            let reason = "has no effect with detector.form = neighbourhoods";
            return Err(DetectorError::setting(key, value, reason));
        }
        counts(&[
            ("detector.projection", self.projection, 65_536),
            ("detector.neighbours", self.neighbours, 65_536),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(PatchCoreTrainer::new(*self, setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = PatchCoreDetector::from_parameters(*self, setup, parameters)?;
        Ok(Box::new(detector))
    }
}
