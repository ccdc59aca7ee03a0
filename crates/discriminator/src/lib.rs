//! Discriminators of feature maps: low energy for features of normal images, high energy for all others.
//!
//! - [`PatchDiscriminator`] scores every position of every feature map on its own (the method's own, "CKAPatch").
//! - [`ImageDiscriminator`] scores an image as a whole (the ablations "CKAImg" and "GAN").
//!
//! ```
//! use burn::tensor::Tensor;
//! use ckaad_discriminator::{PatchDiscriminatorConfig, Precision};
//!
//! let device = ckaad_device::cpu();
//! let config = PatchDiscriminatorConfig { channels: vec![128, 256], precision: Precision::F32 };
//! let discriminator = config.init(7, &device);
//! let features = [Tensor::ones([2, 128, 8, 8], &device), Tensor::ones([2, 256, 4, 4], &device)];
//! let energies = discriminator.energies(&features);
//! assert_eq!(energies[0].dims(), [2, 64]);
//! assert_eq!(energies[1].dims(), [2, 16]);
//! ```

mod image;
mod patch;

pub use ckaad_ops::Precision;
pub use image::{ImageDiscriminator, ImageDiscriminatorConfig};
pub use patch::{PatchDiscriminator, PatchDiscriminatorConfig};

/// Slope of the leaky ReLUs for negative inputs.
const NEGATIVE_SLOPE: f64 = 0.1;
