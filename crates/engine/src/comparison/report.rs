//! `comparison.json`.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::controls::ControlFigures;
use super::verdict::{Ranking, Verdict};
use crate::EngineError;
use crate::error::COMPARISON;

/// Several detectors on the same images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Every detector, in the order of preference.
    pub detectors: Vec<DetectorFigures>,
    /// What images give away without any network.
    pub controls: Vec<ControlFigures>,
    /// Images that are nearly the same as one that was trained on.
    pub near_duplicates: NearDuplicates,
    /// Images by part.
    pub images: Images,
    /// Which detector to take.
    pub recommended: Option<Verdict>,
    /// Where the backbone's weights came from.
    pub weights: String,
    /// The version of this program.
    pub version: String,
}

/// Greatest size of the file.
const FILE_LIMIT: u64 = 64 << 20;

impl Comparison {
    /// Reads `comparison.json`.
    ///
    /// # Errors
    /// [`EngineError::Files`] if it cannot be read, [`EngineError::File`] if it is no comparison.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        Self::parse(&ckaad_files::read(path, FILE_LIMIT)?, path)
    }

    /// [`read`](Self::read) from bytes; `path` is for messages.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, EngineError> {
        serde_json::from_slice(bytes).map_err(|error| EngineError::file(path, COMPARISON, error))
    }
}

/// The figures of one detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectorFigures {
    /// Its name.
    pub name: String,
    /// The folder of its run.
    pub run: PathBuf,
    /// On the validation images.
    pub validation: Option<Ranking>,
    /// On the test images; nothing is chosen by it.
    pub test: Option<Ranking>,
    /// The control with the highest validation AUROC among those that the detector does not rank clearly better than (DeLong's paired test on
    /// validation, 5 %); `None` if it beats all of them.
    pub not_above_control: Option<String>,
    /// Seconds of training, reading images and preparing features apart.
    pub training_seconds: f64,
    /// Milliseconds to score an image in batches of 16: backbone and detector, reading apart.
    pub milliseconds_per_image: f64,
    /// Size of the model file, backbone included.
    pub model_bytes: u64,
}

/// Counts of images whose thumbnails of 16 x 16 grey pixels differ from a training image's by less than 1 grey level on average and by less than a
/// tenth of their contrast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NearDuplicates {
    pub validation: usize,
    pub test: usize,
}

/// Numbers of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Images {
    pub normal: usize,
    pub labelled_anomalous: usize,
    pub calibration: usize,
    pub validation: usize,
    pub validation_anomalous: usize,
    pub test: usize,
    pub test_anomalous: usize,
}
