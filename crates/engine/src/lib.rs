//! Engine.
#![allow(dead_code, missing_docs)]
mod method;
mod networks;
mod step;
pub use method::Method;
pub use networks::{Discriminator, auto_encoder_config};
pub use step::{AnomalousRecord, Learner, Objective, StepRecord};
