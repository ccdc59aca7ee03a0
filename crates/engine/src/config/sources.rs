use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the backbone's weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureSource {
    /// ImageNet pretraining.
    #[default]
    Pretrained,
    /// A seeded random draw: no download, much weaker features; for demonstrations and tests.
    Random,
}

/// What serves as anomalous images while training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnomalySource {
    /// Images with an image-level label.
    Labelled,
    /// The current normal images under an elastic transform, anew in every step.
    Elastic,
    /// The current normal images with patches of textures where Perlin noise is high, anew in every step.
    Perlin,
    /// The features of the current normal images with noise where Perlin noise is high, anew in every step.
    FeatureNoise,
}

impl AnomalySource {
    /// Every source.
    pub const ALL: [Self; 4] = [
        Self::Labelled,
        Self::Elastic,
        Self::Perlin,
        Self::FeatureNoise,
    ];
}

impl std::fmt::Display for AnomalySource {
    /// Its name in configurations and on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Labelled => "labelled",
            Self::Elastic => "elastic",
            Self::Perlin => "perlin",
            Self::FeatureNoise => "feature-noise",
        })
    }
}
