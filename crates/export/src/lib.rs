//! Trained models in other programs.
//!
//! - [`onnx`]: the whole model, from a batch of images to scores and maps, as one ONNX graph.
//! - [`Verifier`] (feature `verify`): runs such a graph in pure Rust and says how far it is from [`Predictor`](ckaad_engine::Predictor).
//! - [`torch`]: the auto-encoder and the discriminator under the names that they have in PyTorch.
//!
//! A graph is drawn from the settings and the parameters of a model alone: `blocks` draws what detectors are made of, each in one place, and
//! `detectors` has one file for each that says how it is put together of them.

mod blocks;
mod detectors;
mod error;
mod graph;
mod metadata;
mod onnx;
mod preprocessing;
pub mod torch;
#[cfg(feature = "verify")]
mod verify;
mod weights;

pub use error::ExportError;
pub use onnx::{Input, onnx};
#[cfg(feature = "verify")]
pub use verify::{Difference, TOLERANCE, Verifier};
