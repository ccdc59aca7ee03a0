//! The weights torchvision publishes.

use crate::ResNetVariant;

/// Where torchvision publishes its weights.
macro_rules! base_url {
    () => {
        "https://download.pytorch.org/models"
    };
}

/// The folder at which [`Published::file_name`] is found unless another one is chosen.
pub(super) const BASE_URL: &str = base_url!();

/// A weights file that torchvision publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Name of the file, `<variant>-<sha256_prefix>.pth`.
    pub file_name: &'static str,
    /// Address of the file.
    pub url: &'static str,
    /// The first eight hex digits, in lower case, of the file's SHA-256.
    pub sha256_prefix: &'static str,
}

macro_rules! file {
    ($name:literal, $sha256_prefix:literal) => {
        Published {
            file_name: concat!($name, "-", $sha256_prefix, ".pth"),
            url: concat!(base_url!(), "/", $name, "-", $sha256_prefix, ".pth"),
            sha256_prefix: $sha256_prefix,
        }
    };
}

/// The published ImageNet weights of a variant.
///
/// These are torchvision's `IMAGENET1K_V1` files, the ones of the original training recipe, which the anomaly-detection
/// literature uses; its `V2` files hold other weights.
pub const fn published(variant: ResNetVariant) -> Published {
    match variant {
        ResNetVariant::ResNet18 => file!("resnet18", "f37072fd"),
        ResNetVariant::ResNet34 => file!("resnet34", "b627a593"),
        ResNetVariant::ResNet50 => file!("resnet50", "0676ba61"),
        ResNetVariant::ResNet101 => file!("resnet101", "63fe2227"),
        ResNetVariant::ResNet152 => file!("resnet152", "394f9c45"),
        ResNetVariant::WideResNet50_2 => file!("wide_resnet50_2", "95faca4d"),
        ResNetVariant::WideResNet101_2 => file!("wide_resnet101_2", "32ee1156"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_hashes_agree() {
        for variant in [
            ResNetVariant::ResNet18,
            ResNetVariant::ResNet34,
            ResNetVariant::ResNet50,
            ResNetVariant::ResNet101,
            ResNetVariant::ResNet152,
            ResNetVariant::WideResNet50_2,
            ResNetVariant::WideResNet101_2,
        ] {
            let Published {
                file_name,
                url,
                sha256_prefix,
            } = published(variant);
            assert_eq!(file_name, format!("{variant}-{sha256_prefix}.pth"));
            assert_eq!(url, format!("{BASE_URL}/{file_name}"));
            assert_eq!(sha256_prefix.len(), 8);
            assert!(
                sha256_prefix
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            );
        }
    }
}
