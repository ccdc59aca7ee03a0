//! Frozen, ImageNet-pretrained ResNet features, and where their weights come from.

mod variant;
pub mod weights;

pub use variant::ResNetVariant;
