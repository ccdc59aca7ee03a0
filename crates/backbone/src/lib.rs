//! Frozen, ImageNet-pretrained ResNet features, and where their weights come from.
//!
//! - [`ResNetVariant`]: the seven networks, as one description.
//! - [`BackboneConfig`]: a network and its chosen stages; [`load`](BackboneConfig::load) reads pretrained weights,
//!   [`random`](BackboneConfig::random) makes do without.
//! - [`Backbone::forward`]: image in, feature maps out, to the deepest chosen stage and no further.
//! - [`Encoder`]: a copy that learns.
//! - [`weights`]: looking up and downloading weights files.
//!
//! ```
//! use burn::tensor::Tensor;
//! use ckaad_backbone::{BackboneConfig, ResNetVariant};
//!
//! let device = ckaad_device::cpu();
//! let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3])?.random(7, &device);
//! let features = backbone.forward(Tensor::zeros([1, 3, 64, 64], &device));
//! assert_eq!(features[0].dims(), [1, 128, 8, 8]);
//! assert_eq!(features[1].dims(), [1, 256, 4, 4]);
//! # Ok::<(), ckaad_backbone::BackboneError>(())
//! ```

mod backbone;
mod encoder;
mod network;
mod plan;
mod torchvision;
mod variant;
pub mod weights;

pub use backbone::{Backbone, BackboneConfig, BackboneError};
pub use ckaad_ops::Precision;
pub use encoder::Encoder;
pub use variant::{BlockKind, ResNetVariant, UnknownVariant};
