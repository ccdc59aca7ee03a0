//! The members of the ResNet family, as one description.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The kind of residual block a network is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1, 3x3 and 1x1 convolutions; four times as many channels leave the block as its planes.
    Bottleneck,
}

impl BlockKind {
    /// Output channels per plane.
    pub const fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// A member of the ResNet family (He et al. 2016; wide ones: Zagoruyko and Komodakis 2016), as torchvision defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ResNetVariant {
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet101,
    ResNet152,
    WideResNet50_2,
    WideResNet101_2,
}

/// A name that no member of the family has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" is no known backbone; use one of {}", all_names())]
pub struct UnknownVariant {
    /// What was asked for.
    pub name: String,
}

const NAMES: [(ResNetVariant, &str); 7] = [
    (ResNetVariant::ResNet18, "resnet18"),
    (ResNetVariant::ResNet34, "resnet34"),
    (ResNetVariant::ResNet50, "resnet50"),
    (ResNetVariant::ResNet101, "resnet101"),
    (ResNetVariant::ResNet152, "resnet152"),
    (ResNetVariant::WideResNet50_2, "wide_resnet50_2"),
    (ResNetVariant::WideResNet101_2, "wide_resnet101_2"),
];

impl JsonSchema for ResNetVariant {
    fn schema_name() -> Cow<'static, str> {
        "ResNetVariant".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": NAMES.map(|(_, name)| name)})
    }
}

fn all_names() -> String {
    NAMES.map(|(_, name)| name).join(", ")
}

impl ResNetVariant {
    /// Every member, from the smallest to the largest.
    pub const ALL: [Self; 7] = [
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet50,
        Self::ResNet101,
        Self::ResNet152,
        Self::WideResNet50_2,
        Self::WideResNet101_2,
    ];

    /// The kind of its blocks.
    pub const fn block(self) -> BlockKind {
        match self {
            Self::ResNet18 | Self::ResNet34 => BlockKind::Basic,
            _ => BlockKind::Bottleneck,
        }
    }

    /// Residual blocks in each of the four stages.
    pub const fn depths(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 | Self::WideResNet50_2 => [3, 4, 6, 3],
            Self::ResNet101 | Self::WideResNet101_2 => [3, 4, 23, 3],
            Self::ResNet152 => [3, 8, 36, 3],
        }
    }

    /// Width of the inner 3x3 convolution per 64 planes: 64, in wide networks 128.
    pub const fn base_width(self) -> usize {
        match self {
            Self::WideResNet50_2 | Self::WideResNet101_2 => 128,
            _ => 64,
        }
    }

    /// Planes of a stage, counted from 1: 64, 128, 256, 512.
    ///
    /// # Panics
    /// If `stage` is not in 1..=4.
    pub const fn planes(stage: usize) -> usize {
        assert!(matches!(stage, 1..=4), "a ResNet has the stages 1 to 4");
        32 << stage
    }

    /// Channels of the feature map that a stage, counted from 1, puts out.
    ///
    /// # Panics
    /// If `stage` is not in 1..=4.
    pub const fn channels(self, stage: usize) -> usize {
        Self::planes(stage) * self.block().expansion()
    }
}

impl fmt::Display for ResNetVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NAMES
            .iter()
            .filter(|(variant, _)| variant == self)
            .try_for_each(|(_, name)| f.write_str(name))
    }
}

impl FromStr for ResNetVariant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Self, UnknownVariant> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(variant, _)| *variant)
            .ok_or_else(|| UnknownVariant {
                name: name.to_owned(),
            })
    }
}

impl From<ResNetVariant> for String {
    fn from(variant: ResNetVariant) -> Self {
        variant.to_string()
    }
}

impl TryFrom<String> for ResNetVariant {
    type Error = UnknownVariant;

    fn try_from(name: String) -> Result<Self, UnknownVariant> {
        name.parse()
    }
}
