//! Anomaly detectors behind one contract: what a system sees, how it learns, and how it scores.
//!
//! - [`Detector`]: learned and frozen; scores images, with or without a map of where they are anomalous.
//! - [`Trainer`]: learns from batches of normal images and of anomalous ones, in one pass or in epochs.
//! - [`System`]: settings of one system that have been checked can build both.
//! - [`DetectorSettings`]: every system by name, the only place that lists them.
//!
//! A new system is one file (or folder) here and one line in [`DetectorSettings`]; the engine, the model file, checkpoints and
//! the command line know the contract alone.
//!
//! ```
//! use burn::tensor::Tensor;
//! use ckaad_backbone::{BackboneConfig, ResNetVariant};
//! use ckaad_detectors::{DetectorSettings, Inputs, Setup};
//!
//! let device = ckaad_device::cpu();
//! let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3])?.random(7, &device);
//! let settings: DetectorSettings = toml::from_str("name = 'ckaad'\nmethod = 'recon'")?;
//! settings.check(backbone.config(), 64)?;
//!
//! let mut trainer = settings.trainer(&Setup { backbone: &backbone, image_size: 64, seed: 1, steps: 1, device: &device });
//! let images = Tensor::ones([2, 3, 64, 64], &device);
//! let inputs = Inputs { features: backbone.maps(images), images: None, masks: None };
//! let losses = trainer.step(&inputs, None);
//! assert!(losses.names().eq(["total", "reconstruction"]));
//!
//! let scored = trainer.detector().score(&inputs);
//! assert_eq!(scored.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod aa_bigan;
mod adam;
pub mod ae_flow;
pub mod ckaad;
mod contract;
mod cycle;
pub mod d3ad;
pub mod deep_sad;
mod descent;
pub mod destseg;
mod deviation;
pub mod devnet;
pub mod differnet;
pub mod dmad;
pub mod dra;
pub mod draem;
mod error;
pub mod fastflow;
pub mod fusion;
pub mod ganomaly;
pub mod gaussian;
mod gaussian_noise;
mod gradients;
mod kept;
mod layers;
mod learning;
mod linear_algebra;
mod matrix;
mod momentum;
pub mod padim;
pub mod patchcore;
mod permutation;
mod pixels;
mod plain_norm;
mod planes;
pub mod pooling;
pub mod prenet;
pub mod probe;
pub mod rd4ad;
pub mod rdpp;
pub mod recontrast;
mod rotation;
mod samples;
mod settings;
mod ssim;
mod state;
#[cfg(test)]
mod update_rules;

pub use contract::{
    Anomalies, Detector, HeldOut, Inputs, Losses, Needs, Passes, Scored, Setup, System, Trainer,
};
pub use deviation::{Reference, image_score};
pub use error::DetectorError;
pub use pooling::{Pooling, pooled};
pub use settings::DetectorSettings;
pub use state::State;
