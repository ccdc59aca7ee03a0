//! Frozen, ImageNet-pretrained ResNet features, and where their weights come from.
