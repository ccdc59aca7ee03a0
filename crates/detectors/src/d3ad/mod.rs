//! D3AD (Tebbe and Tayyub, CVPR workshops 2024): a diffusion model learns what latent maps of normal images are; an image is anomalous where it
//! changes when noise is taken out of it, the more noise, the less it is like the training images.
//!
//! The authors work on latent maps of Stable Diffusion's auto-encoder on images of 256 pixels, with a network of 192 channels in batches of 30 for 300
//! epochs, and adapt a ResNet-34 for one epoch. Here the auto-encoder learns from the same normal images in the first 40 % of all steps, features
//! are those of the frozen backbone, and size, batch and epochs are the configuration's. [`Size::Reduced`] is made for images of 64 pixels on a CPU,
//! [`Size::Reference`] is theirs. How their schedule of noise, guidance and bins is written was not at hand: it is from the description, and from
//! DDAD (Mousakhan et al. 2023), whose guidance it is.

mod auto_encoder;
mod detector;
mod diffusion;
mod memory;
mod trainer;
mod unet;

use burn::tensor::Device;
use ckaad_backbone::BackboneConfig;
use ckaad_ops::Precision;
use ckaad_parameters::{Initialisation, NamedTensors};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::auto_encoder::LATENT;
use self::detector::{D3adDetector, Networks, from_parameters};
use self::trainer::D3adTrainer;
use crate::error::positive;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

pub use self::auto_encoder::AutoEncoder;
pub use self::diffusion::{TIMES, noised, restored, schedule, shares_left};
pub use self::memory::Memory;
pub use self::trainer::Learner;
pub use self::unet::{UNet, UNetConfig};

/// How large the networks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// Latent maps of a quarter of the images' side, a network of 32 channels on three levels: a quarter of an hour on two cores for images of 64
    /// pixels.
    #[default]
    Reduced,
    /// Latent maps of an eighth of the side, a network of 192 channels on five levels: for a GPU.
    Reference,
}

/// The networks, and how they learn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How large the networks are.
    pub size: Size,
    /// AdamW's of the network that finds noise (decay 0.01).
    pub learning_rate: f64,
    /// Adam's of the auto-encoder.
    pub auto_encoder_learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: Size::default(),
            learning_rate: 1e-4,
            auto_encoder_learning_rate: 1e-3,
        }
    }
}

impl Settings {
    fn unet(self, precision: Precision) -> UNetConfig {
        match self.size {
            Size::Reduced => UNetConfig {
                width: 32,
                multipliers: &[1, 2, 2],
                blocks: 1,
                attention: &[1, 2],
                groups: 8,
                precision,
            },
            Size::Reference => UNetConfig {
                width: 192,
                multipliers: &[1, 2, 2, 4, 4],
                blocks: 2,
                attention: &[0, 1, 2, 3],
                groups: 32,
                precision,
            },
        }
    }

    /// How often the auto-encoder halves images, and its channels before.
    fn halvings_and_width(self) -> (usize, usize) {
        match self.size {
            Size::Reduced => (2, 16),
            Size::Reference => (3, 64),
        }
    }

    /// Side of the grid on which remembered features are averaged.
    fn pooled_side(self) -> usize {
        match self.size {
            Size::Reduced => 4,
            Size::Reference => 16,
        }
    }

    /// `[batch, channels, height, width]` of latent maps.
    fn latent_shape(self, batch: usize, image_size: usize) -> [usize; 4] {
        let side = image_size >> self.halvings_and_width().0;
        [batch, LATENT, side, side]
    }

    fn networks(self, precision: Precision, device: &Device) -> Networks {
        let (halvings, width) = self.halvings_and_width();
        Networks {
            auto_encoder: AutoEncoder::zeros(width, halvings, precision, device),
            unet: self.unet(precision).zeros(device),
        }
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: true,
            features: true,
            passes: Passes::OnceThenEpochs,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, _: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        let levels = self.unet(Precision::F32).multipliers.len();
        let multiple = 1 << (self.halvings_and_width().0 + levels - 1);
        if image_size == 0 || !image_size.is_multiple_of(multiple) {
            let reason = format!("must be a positive multiple of {multiple} for d3ad of this size");
            return Err(DetectorError::setting("image_size", image_size, reason));
        }
        positive(&[
            ("detector.learning_rate", self.learning_rate),
            (
                "detector.auto_encoder_learning_rate",
                self.auto_encoder_learning_rate,
            ),
        ])
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        let device = setup.device.clone().autodiff();
        let networks = self.networks(setup.backbone.config().precision, &device);
        let Networks { auto_encoder, unet } =
            Initialisation::FanInUniform.fill(networks, setup.seed);
        Box::new(D3adTrainer {
            learner: Learner::new(*self, auto_encoder, unet),
            backbone: setup.backbone.clone(),
            image_size: setup.image_size,
            memory: Memory::default(),
            seed: setup.seed,
            steps: setup.steps,
            passes: 0,
            time: 0,
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let networks = self.networks(setup.backbone.config().precision, setup.device);
        let [channels, height, width] = setup.shapes().first().copied().unwrap_or([1; 3]);
        let side = self.pooled_side();
        let length = channels * height.min(side) * width.min(side);
        let (networks, memory) = from_parameters(networks, length, parameters)?;
        Ok(Box::new(D3adDetector {
            networks,
            memory,
            backbone: setup.backbone.clone(),
            settings: *self,
            image_size: setup.image_size,
        }))
    }
}
