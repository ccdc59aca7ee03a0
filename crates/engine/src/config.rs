//! What a run does, in one table of settings.

use std::path::PathBuf;

use ckaad_anomaly_map::ImageScore;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::{BackboneConfig, Precision, ResNetVariant};
use ckaad_data::{FolderSource, LabelledClasses, Layout, ValidationRule};
use serde::{Deserialize, Serialize};

use crate::{
    AnomalySource, Elastic, EngineError, FeaturePrecision, FeatureSource, Method, Objective, Preset,
};

/// A run's settings. Every key can be given in a TOML file or on the command line; unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The preset that the run started from.
    #[serde(default)]
    pub preset: Preset,
    /// How labelled anomalies are used.
    #[serde(default)]
    pub method: Method,
    /// The network that extracts features.
    pub backbone: ResNetVariant,
    /// Its stages whose features are reconstructed, counted from 1, ascending.
    pub stages: Vec<usize>,
    /// The norm of the auto-encoder.
    #[serde(default)]
    pub norm: Norm,
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
    /// How an image's score follows from its anomaly map.
    #[serde(default)]
    pub image_score: ImageScore,
    /// Normal images per step, and at most as many anomalous ones.
    pub batch: usize,
    /// Passes over the normal images.
    pub epochs: usize,
    /// The auto-encoder's learning rate.
    pub learning_rate: f64,
    /// The discriminator's learning rate.
    #[serde(default = "defaults::discriminator_learning_rate")]
    pub discriminator_learning_rate: f64,
    /// Weight of the adversarial loss.
    #[serde(default = "defaults::lambda")]
    pub lambda: f64,
    /// Weight of reconstructed against anomalous features in the discriminator's loss, in `[0, 1]`.
    #[serde(default = "defaults::gamma")]
    pub gamma: f64,
    /// The energy margin.
    #[serde(default = "defaults::margin")]
    pub margin: f64,
    /// Seed of everything random.
    #[serde(default = "defaults::seed")]
    pub seed: u64,
    /// What serves as anomalous images.
    pub anomalies: AnomalySource,
    /// Strength of the elastic transform, if it makes the anomalous images.
    #[serde(default)]
    pub elastic: Elastic,
    /// Share of labelled anomalous images among all training images, in `[0, 1)`; all there are if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled_ratio: Option<f64>,
    /// Which classes the labelled anomalous images are drawn from.
    #[serde(default)]
    pub labelled_classes: LabelledClasses,
    /// Which images leave the training set for validation.
    pub validation: ValidationRule,
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
    /// In which precision features are kept.
    #[serde(default)]
    pub feature_precision: FeaturePrecision,
    /// Where the images are.
    pub data: DataConfig,
}

mod defaults {
    pub(super) fn image_size() -> usize {
        256
    }
    pub(super) fn discriminator_learning_rate() -> f64 {
        1e-4
    }
    pub(super) fn lambda() -> f64 {
        0.02
    }
    pub(super) fn gamma() -> f64 {
        0.5
    }
    pub(super) fn margin() -> f64 {
        5.0
    }
    pub(super) fn seed() -> u64 {
        111
    }
    pub(super) fn feature_cache_mib() -> usize {
        2048
    }
}

/// Where the images are: a known layout under `root`, or folders of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The layout of the folder `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// The data set's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// The object or class, where the layout has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Folders of one's own, instead of `layout` and `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folders: Option<FolderSource>,
    /// A split file of an earlier run to use again, instead of drawing one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<PathBuf>,
    /// Leave unreadable images out instead of failing.
    #[serde(default)]
    pub skip_bad: bool,
}

impl Config {
    /// The settings as a TOML file.
    ///
    /// # Errors
    /// [`EngineError::Config`] if a path is not valid Unicode.
    pub fn to_toml(&self) -> Result<String, EngineError> {
        toml::to_string(self).map_err(|error| EngineError::Config {
            path: None,
            reason: error.to_string(),
        })
    }

    /// The backbone.
    ///
    /// # Errors
    /// [`EngineError::Backbone`] if the stages make no sense.
    pub fn backbone_config(&self) -> Result<BackboneConfig, EngineError> {
        Ok(BackboneConfig::new(self.backbone, &self.stages)?.with_precision(self.precision))
    }

    /// The numbers of the objective.
    pub fn objective(&self) -> Objective {
        Objective {
            method: self.method,
            lambda: self.lambda,
            gamma: self.gamma,
            margin: self.margin,
            learning_rate: self.learning_rate,
            discriminator_learning_rate: self.discriminator_learning_rate,
        }
    }
}
