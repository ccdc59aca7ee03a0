//! Settings with names of their own.

use ckaad_anomaly_map::ImageScore;
use ckaad_auto_encoder::Norm;
use serde::{Deserialize, Serialize};

/// The norm of the auto-encoder, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum NormName {
    #[default]
    Instance,
    Batch,
}

impl From<NormName> for Norm {
    fn from(name: NormName) -> Self {
        match name {
            NormName::Instance => Self::Instance,
            NormName::Batch => Self::Batch,
        }
    }
}

/// Where the backbone's weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSource {
    /// ImageNet pretraining.
    #[default]
    Pretrained,
    /// A seeded random draw: no download, much weaker features; for demonstrations and tests.
    Random,
}

/// How an image's score follows from its anomaly map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreRule {
    /// The mean of the 100 largest pixels.
    #[default]
    #[serde(rename = "top-100")]
    Top100,
    /// The mean of all pixels, for anomalies as large as the image (ISIC2018).
    Mean,
}

impl From<ScoreRule> for ImageScore {
    fn from(rule: ScoreRule) -> Self {
        match rule {
            ScoreRule::Top100 => Self::TopMean(100),
            ScoreRule::Mean => Self::Mean,
        }
    }
}

/// What serves as anomalous images while training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnomalySource {
    /// Images with an image-level label.
    Labelled,
    /// The current normal images under an elastic transform, anew in every step.
    Elastic,
}

impl AnomalySource {
    /// Every source.
    pub const ALL: [Self; 2] = [Self::Labelled, Self::Elastic];
}

impl std::fmt::Display for AnomalySource {
    /// Its name in configurations and on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Labelled => "labelled",
            Self::Elastic => "elastic",
        })
    }
}
