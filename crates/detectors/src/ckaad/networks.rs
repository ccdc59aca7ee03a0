//! The networks of a configuration, built to fit each other.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ckaad_auto_encoder::{AutoEncoderConfig, Norm};
use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_discriminator::{
    ImageDiscriminator, ImageDiscriminatorConfig, PatchDiscriminator, PatchDiscriminatorConfig,
};

use super::Method;

/// The auto-encoder that fits a backbone, in the same precision.
pub fn auto_encoder_config(backbone: &BackboneConfig, norm: Norm) -> AutoEncoderConfig {
    let variant = backbone.variant;
    AutoEncoderConfig {
        planes: backbone
            .stages
            .iter()
            .map(|&stage| ResNetVariant::planes(stage))
            .collect(),
        expansion: variant.block().expansion(),
        base_width: variant.base_width(),
        fusion_blocks: if variant == ResNetVariant::ResNet18 {
            2
        } else {
            3
        },
        decoder_blocks: variant.depths()[..backbone.stages.len()].to_vec(),
        norm,
        precision: backbone.precision,
    }
}

/// The adversary of the auto-encoder.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a run has one of it")]
pub enum Discriminator {
    /// Scores patches.
    Patch(PatchDiscriminator),
    /// Scores images.
    Image(ImageDiscriminator),
}

impl Discriminator {
    /// The discriminator that `method` trains, in the precision of the backbone, or `None` if it has none. `image_size` is the
    /// side of the images in pixels.
    pub fn new(
        method: Method,
        backbone: &BackboneConfig,
        image_size: usize,
        seed: u64,
        device: &Device,
    ) -> Option<Self> {
        let (channels, precision) = (backbone.channels(), backbone.precision);
        match method {
            Method::Recon | Method::ReconSub => None,
            Method::CkaPatch => Some(Self::Patch(
                PatchDiscriminatorConfig {
                    channels,
                    precision,
                }
                .init(seed, device),
            )),
            Method::Gan | Method::CkaImg => {
                let deepest = backbone.stages.last().copied().unwrap_or(1);
                let coarsest_size = image_size >> (deepest + 1);
                let config = ImageDiscriminatorConfig {
                    channels,
                    coarsest_size,
                    precision,
                };
                Some(Self::Image(config.init(seed, device)))
            }
        }
    }

    /// Energies per scale, `[images, patches]`; one scale with one patch if it scores images.
    pub(crate) fn energies(&self, features: &[Tensor<4>]) -> Vec<Tensor<2>> {
        match self {
            Self::Patch(discriminator) => discriminator.energies(features),
            Self::Image(discriminator) => vec![discriminator.energies(features)],
        }
    }

    /// Scores of images as logits, `[images, 1]`.
    ///
    /// # Panics
    /// If it scores patches; no method asks for those.
    pub(crate) fn logits(&self, features: &[Tensor<4>]) -> Tensor<2> {
        match self {
            Self::Patch(_) => panic!("a patch discriminator has energies, not logits"),
            Self::Image(discriminator) => discriminator.scores(features),
        }
    }
}

/// The smallest step in which the image size may change: the latent map is half as large as the deepest stage's.
pub(crate) fn size_multiple(stages: &[usize]) -> usize {
    1 << (stages.last().copied().unwrap_or(1) + 2)
}
