//! `report.json` and `predictions.csv`: what an evaluation found, and by which definition.

use std::collections::BTreeMap;
use std::path::Path;

use ckaad_data::DataAccount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ControlReport, TestFolder};
use crate::error::REPORT;
use crate::training::Threshold;
use crate::{CheckedConfig, EngineError};

/// The evaluation of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The model after the last epoch.
    pub last: ModelReport,
    /// The model after the epoch that was best on validation, if validation could tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_on_validation: Option<ModelReport>,
    /// Images that the run trained and validated on.
    pub training: TrainingCounts,
    /// Settings of the run.
    pub config: CheckedConfig,
    /// What the images give away without any network, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controls: Option<ControlReport>,
    /// Where the test images are, if they are not those that the run was trained with.
    #[serde(flatten)]
    pub test: Option<TestFolder>,
    /// What was found where the images are.
    #[serde(default)]
    pub data: DataAccount,
    /// Test images that could not be read.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// Where the backbone's weights came from.
    pub weights: String,
    /// The device that evaluated.
    pub device: String,
    /// The version of this program.
    pub version: String,
    /// Wall-clock seconds of all epochs, and of this evaluation.
    pub seconds: Seconds,
    /// What each figure is.
    pub definitions: BTreeMap<String, String>,
}

/// Wall-clock times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Seconds {
    pub training: f64,
    pub evaluation: f64,
}

/// Numbers of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TrainingCounts {
    pub normal: usize,
    pub labelled_anomalous: usize,
    pub validation: usize,
    pub calibration: usize,
}

/// The figures of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelReport {
    /// The epoch after which the model was taken.
    pub epoch: usize,
    /// Its AUROC on the validation images.
    pub validation_auroc: Option<f64>,
    /// Figures that need no threshold, and oracle ones; `None` unless the test images are of both kinds.
    pub image: Option<ImageFigures>,
    /// The threshold that the model carries.
    pub threshold: Threshold,
    /// Figures of decisions at that threshold.
    pub at_threshold: AtThreshold,
    /// Figures of pixels, if every anomalous image has a mask.
    pub pixel: Option<PixelReport>,
    /// Why there are none although there are masks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels_omitted: Option<PixelsOmitted>,
    /// Test images.
    pub counts: Counts,
    /// The best of the controls that it does not clearly beat on the test images, if there is any and that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_above_control: Option<String>,
}

/// Why there are no figures of pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PixelsOmitted {
    /// What is missing or wrong.
    pub reason: String,
    /// Whether they were to be had when the run was trained: something is damaged.
    pub failed: bool,
}

/// Image-level figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "`definitions` says what they are")]
pub struct ImageFigures {
    pub image_auroc: f64,
    pub image_auroc_interval: Option<[f64; 2]>,
    pub image_average_precision: f64,
    pub oracle_f1_max: f64,
    pub oracle_threshold: f64,
    pub oracle_accuracy: f64,
}

/// Decisions at a threshold that the test images had no part in; `None` where a figure has no value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "`definitions` says what they are")]
pub struct AtThreshold {
    pub accuracy: f64,
    pub f1: Option<f64>,
    pub sensitivity: Option<f64>,
    pub specificity: Option<f64>,
}

/// Pixel-level figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "`definitions` says what they are")]
pub struct PixelReport {
    pub pixel_auroc: f64,
    pub pixel_average_precision: f64,
    pub pixel_oracle_f1_max: f64,
    #[serde(rename = "aupro_0.3")]
    pub aupro_0_3: f64,
    pub pro_per_image: Option<f64>,
    /// Images whose own curve has no area; with any, there is no mean over images.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pro_undefined: usize,
    pub regions: u64,
    /// Height and width at which maps and masks were compared.
    pub resolution: [usize; 2],
}

/// Test images by kind and class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub normal: usize,
    pub anomalous: usize,
    pub classes: BTreeMap<String, usize>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What each figure of a report is.
pub(crate) fn definitions() -> BTreeMap<String, String> {
    [
        ("image_auroc", "area under the ROC curve of image scores; ties share one threshold"),
        ("image_auroc_interval", "95 % confidence interval of image_auroc by DeLong's method; none for a perfect ranking"),
        ("image_average_precision", "sum over thresholds of (recall step) x precision, without interpolation"),
        ("oracle_f1_max", "highest F1 of any threshold, chosen on the test images themselves: an upper bound"),
        ("oracle_threshold", "the lowest score that reaches oracle_f1_max"),
        ("oracle_accuracy", "accuracy at oracle_threshold"),
        ("at_threshold", "decisions `score >= threshold` with the threshold that the model carries, chosen without the test images"),
        ("pixel_auroc", "area under the ROC curve of all pixels of all test images"),
        ("pixel_average_precision", "average precision of all pixels of all test images"),
        ("pixel_oracle_f1_max", "highest F1 over all pixels, its threshold chosen on the test images themselves"),
        ("controls", "AUROCs of what sees no more than its name says; not_above_control is the best that a model does not beat by DeLong's paired test, p < 0.05"),
        ("aupro_0.3", "mean coverage of the 8-connected regions of all images against the false-positive rate of all pixels, every score a threshold, area up to a rate of 0.3 divided by 0.3"),
        ("pro_per_image", "as papers after RD4AD report it: for each anomalous image on its own, 200 thresholds, rates below 0.3 rescaled to 1; mean over images; none where the curve of any of them, pro_undefined in number, has no area, as with a map of few distinct values"),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}

/// Greatest size of a report.
const FILE_LIMIT: u64 = 64 << 20;

impl Report {
    /// Reads `report.json`.
    ///
    /// # Errors
    /// [`EngineError::Files`] if it cannot be read, [`EngineError::File`] if it is no report.
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        Self::parse(&ckaad_files::read(path, FILE_LIMIT)?, path)
    }

    /// [`read`](Self::read) from bytes; `path` is for messages.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, EngineError> {
        serde_json::from_slice(bytes).map_err(|error| EngineError::file(path, REPORT, error))
    }

    /// Writes `report.json`.
    ///
    /// # Errors
    /// [`EngineError::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), EngineError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| EngineError::file(path, REPORT, error))?;
        Ok(ckaad_files::write(path, text.as_bytes())?)
    }
}
