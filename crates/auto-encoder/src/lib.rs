//! Reconstructs the feature maps of normal images through a fused latent map.
//!
//! Each stage's features are brought to the size of the deepest by strided convolutions, concatenated, and reduced by
//! residual blocks to a latent map; a decoder of residual blocks whose first one up-samples yields the reconstruction of
//! one stage after the other, from coarse to fine.
//!
//! ```
//! use burn::tensor::Tensor;
//! use ckaad_auto_encoder::{AutoEncoderConfig, Norm, Precision};
//!
//! let device = ckaad_device::cpu();
//! let config = AutoEncoderConfig {
//!     planes: vec![128, 256], // stages 2 and 3 of a ResNet-18
//!     expansion: 1,
//!     base_width: 64,
//!     fusion_blocks: 2,
//!     decoder_blocks: vec![2, 2],
//!     norm: Norm::Instance,
//!     precision: Precision::F32,
//! };
//! let features = [Tensor::ones([1, 128, 8, 8], &device), Tensor::ones([1, 256, 4, 4], &device)];
//! let reconstructions = config.init(7, &device).forward(&features);
//! assert_eq!(reconstructions[0].dims(), [1, 128, 8, 8]);
//! assert_eq!(reconstructions[1].dims(), [1, 256, 4, 4]);
//! ```

mod auto_encoder;
mod frozen;
mod layers;

pub use auto_encoder::{AutoEncoder, AutoEncoderConfig, Concatenate, FrozenAutoEncoder, Norm};
pub use ckaad_ops::Precision;
pub use frozen::FrozenConvNorm;
pub use layers::ConvNorm;
