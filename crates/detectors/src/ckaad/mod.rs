//! CKAAD: coarse-knowledge-aware adversarial learning (AAAI-25), with the paper's four simpler methods.
//!
//! An auto-encoder learns to reconstruct the features of normal images; a discriminator, trained with the few anomalous ones,
//! pushes it to paint every patch as normal. Where features and reconstruction differ, the image is anomalous.

mod collapse;
mod detector;
mod learner;
mod method;
mod networks;
mod schedule;
mod settings;
mod trainer;

pub use detector::CkaadDetector;
pub use learner::{AnomalousRecord, Learner, StepRecord};
pub use method::Method;
pub use networks::{Discriminator, auto_encoder_config};
pub use schedule::Schedule;
pub use settings::Settings;
pub use trainer::discriminator_parameters;
