//! What a run does, in one table of settings.
//!
//! [`Config`] is what a file says, [`CheckedConfig`] what can run: the only way from the one to the other is
//! [`Config::check`], and everything that runs takes the latter.

mod check;
mod data;
mod difference;
mod in_words;
mod overrides;
mod own_folders;
mod preset;
mod resolve;
mod resumed;
mod sources;
mod tables;

use std::path::PathBuf;

use ckaad_backbone::{BackboneConfig, Precision, ResNetVariant};
use ckaad_data::{ElasticTransform, LabelledClasses, ValidationRule};
use ckaad_detectors::DetectorSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EngineError;
use crate::training::FeaturePrecision;

pub use check::CheckedConfig;
pub(crate) use check::EPOCHS;
pub use data::DataConfig;
pub(crate) use in_words::in_words;
pub use overrides::Overrides;
pub use preset::Preset;
pub use sources::{AnomalySource, FeatureSource};
pub use tables::lay_over;

/// A run's settings. Every key can be given in a TOML file or on the command line; unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The preset that the run started from.
    #[serde(default)]
    pub preset: Preset,
    /// The network that extracts features.
    pub backbone: ResNetVariant,
    /// Its stages whose features the detector sees, counted from 1, ascending.
    pub stages: Vec<usize>,
    /// Where the backbone's weights come from.
    #[serde(default)]
    pub features: FeatureSource,
    /// A weights file to use instead of looking one up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// How exactly convolutions and linear layers multiply.
    #[serde(default)]
    pub precision: Precision,
    /// Side of the resized images in pixels.
    #[serde(default = "defaults::image_size")]
    pub image_size: usize,
    /// Normal images per step, and at most as many anomalous ones.
    pub batch: usize,
    /// Passes over the normal images; 1 for detectors that see every image once.
    pub epochs: usize,
    /// Fewer normal images than this take more epochs: `epochs` times the square root of how many times fewer they are. A run's own settings say
    /// how many it came to. 0, also where `epochs` is given by hand: never.
    #[serde(default)]
    pub few_images: usize,
    /// Seed of everything random.
    #[serde(default = "defaults::seed")]
    pub seed: u64,
    /// What serves as anomalous images.
    pub anomalies: AnomalySource,
    /// Strength of the elastic transform, if it makes the anomalous images.
    #[serde(default)]
    pub elastic: ElasticTransform,
    /// A folder of textures for anomalies that are drawn, such as the Describable Textures Dataset; formulas make them if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub textures: Option<PathBuf>,
    /// The standard deviation of noise on features, if it makes the anomalous images, in units of their root mean square.
    #[serde(default = "defaults::feature_noise")]
    pub feature_noise: f64,
    /// Share of labelled anomalous images among all training images, in `[0, 1)`; all there are if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled_ratio: Option<f64>,
    /// Which classes the labelled anomalous images are drawn from.
    #[serde(default)]
    pub labelled_classes: LabelledClasses,
    /// Which images leave the training set for validation.
    pub validation: ValidationRule,
    /// Share of the normal images that are held out of training, in `[0, 1)`: their scores promise how many normal images
    /// are flagged. None by default, a quarter with folders of one's own.
    #[serde(default)]
    pub calibration: f64,
    /// The share of normal images that may be flagged, where images are held out to promise it.
    #[serde(default = "defaults::alpha")]
    pub alpha: f64,
    /// Keep images of one patient or lesion together where the data names them.
    #[serde(default)]
    pub group_by: bool,
    /// Memory for features computed once and kept, in MiB. What does not fit goes to a temporary file where half of the
    /// free space there suffices (`TMPDIR` names the place, which should not itself be in memory); 0 keeps none and computes
    /// features anew in every step.
    #[serde(default = "defaults::feature_cache_mib")]
    pub feature_cache_mib: usize,
    /// A folder in which features outlast the run, for others on the same images; it grows until someone removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_cache_dir: Option<PathBuf>,
    /// In which precision features are kept; `f16` if not given and `precision` is `bf16`.
    #[serde(default)]
    pub feature_precision: FeaturePrecision,
    /// Which detector, and its own settings.
    #[serde(default)]
    pub detector: DetectorSettings,
    /// Where the images are.
    #[serde(default)]
    pub data: DataConfig,
}

mod defaults {
    pub(super) fn alpha() -> f64 {
        0.05
    }
    pub(super) fn feature_noise() -> f64 {
        0.5
    }
    pub(super) fn image_size() -> usize {
        256
    }
    pub(super) fn seed() -> u64 {
        111
    }
    pub(super) fn feature_cache_mib() -> usize {
        2048
    }
}

impl Config {
    /// The settings as a TOML file.
    ///
    /// # Errors
    /// [`EngineError::Config`] if a path is not valid Unicode.
    pub fn to_toml(&self) -> Result<String, EngineError> {
        toml::to_string(self).map_err(|error| EngineError::config(None, error))
    }

    /// The backbone.
    ///
    /// # Errors
    /// [`EngineError::Backbone`] if the stages make no sense.
    pub fn backbone_config(&self) -> Result<BackboneConfig, EngineError> {
        Ok(BackboneConfig::new(self.backbone, &self.stages)?.with_precision(self.precision))
    }
}
