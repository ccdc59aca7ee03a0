//! The members of the ResNet family.

use std::fmt;
use std::str::FromStr;

/// A member of the ResNet family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ResNetVariant {
    ResNet18,
    ResNet34,
    ResNet50,
    ResNet101,
    ResNet152,
    WideResNet50_2,
    WideResNet101_2,
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

impl fmt::Display for ResNetVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NAMES
            .iter()
            .filter(|(variant, _)| variant == self)
            .try_for_each(|(_, name)| f.write_str(name))
    }
}

impl FromStr for ResNetVariant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(variant, _)| *variant)
            .ok_or_else(|| name.to_owned())
    }
}
