//! Training, evaluation and prediction: where the pieces of `ckaad` come together.
//!
//! - [`config`]: a run's settings; presets, a TOML file and overrides resolved once and checked before anything runs.
//! - [`training`]: the loop around a detector that learns, with features of unchanging images kept, checkpoints, validation,
//!   and one self-contained model file at the end.
//! - [`scoring`]: [`Predictor`], the one way from a model and pictures to scores and heat maps.
//! - [`comparison`]: several detectors on the same images, and which one to take.
//! - [`evaluation`]: the metrics of a finished run on its test images.
//!
//! Detectors are known by their contract alone ([`ckaad_detectors`]), and everything takes the
//! [`Device`](burn::tensor::Device) to compute on: no system and no backend is named.
//!
//! ```
//! use ckaad_engine::{Config, Overrides};
//!
//! let table = toml::toml! {
//!     preset = "medical"
//!     image_size = 128
//!     [data]
//!     layout = "chest-xray"
//!     root = "ChestXRay2017"
//! };
//! let config = Config::resolve(None, Overrides { table, ..Overrides::default() })?;
//! assert_eq!((config.detector.name(), config.batch, config.image_size), ("ckaad", 64, 128));
//!
//! let misspelt = Overrides { table: toml::toml! { epoch = 3 }, ..Overrides::default() };
//! let error = Config::resolve(None, misspelt).unwrap_err();
//! assert!(error.to_string().contains("unknown field `epoch`"));
//! # Ok::<(), ckaad_engine::EngineError>(())
//! ```

pub mod comparison;
pub mod config;
mod error;
pub mod evaluation;
#[doc(hidden)]
pub mod fuzzing;
pub mod scoring;
pub mod training;

pub use config::{CheckedConfig, Config, Overrides};
pub use error::EngineError;
pub use evaluation::evaluate_run;
pub use scoring::Predictor;
pub use training::{ActiveRun, Outcome, RunFolder, TrainContext, resume, train};
