//! Checks the networks and the training step against figures recorded from an independent implementation.
//!
//! A case file names a backbone, stages, sizes and a seed, and holds the figures: probes of every feature map,
//! reconstruction, energy and anomaly map, and the losses and gradient norms of some training steps. Weights and images
//! are formulas of names and the seed ([`formula`]), so that any case can be rebuilt here bit for bit.

pub mod case;
mod check;
pub mod formula;
mod predictor;
mod run;
mod systems;
mod training;

pub use case::{Case, Golden};
pub use check::Check;
pub use run::{Extent, run};
pub use systems::{compute_in_double_precision, run_system};
