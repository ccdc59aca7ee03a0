//! Training, evaluation and prediction: where the pieces of `ckaad` come together.
//!
//! - [`Config`]: a run's settings; presets, a TOML file and overrides resolved once and checked before anything runs.
//! - [`train`] and [`resume`]: the training loop with features of unchanging images kept, checkpoints, validation, and one
//!   self-contained model file at the end. One step of it is [`Learner::step`].
//! - [`evaluate_run`]: the metrics of a finished run on its test images.
//! - [`Detector`] and [`predict`]: scores and heat maps for any images.
//!
//! Everything takes the [`Device`](burn::tensor::Device) to compute on; no backend is named.
//!
//! ```
//! use ckaad_engine::{Config, Method};
//!
//! let settings = toml::toml! {
//!     preset = "medical"
//!     image_size = 128
//!     [data]
//!     layout = "chest-xray"
//!     root = "ChestXRay2017"
//! };
//! let config = Config::resolve(None, toml::Table::new(), settings)?;
//! assert_eq!((config.method, config.batch, config.image_size), (Method::CkaPatch, 64, 128));
//!
//! let error = Config::resolve(None, toml::Table::new(), toml::toml! { epoch = 3 }).unwrap_err();
//! assert!(error.to_string().contains("unknown field `epoch`"));
//! # Ok::<(), ckaad_engine::EngineError>(())
//! ```

mod adam;
mod checkpoint;
mod config;
mod detector;
mod epochs;
mod error;
mod evaluate;
mod evaluate_run;
mod event;
mod features;
mod log;
mod method;
mod model_file;
mod networks;
mod overlay;
mod predict;
mod prepare;
mod preset;
mod report;
mod resolve;
mod run_folder;
mod settings;
mod step;
mod threshold;
mod train;
mod validate;

pub use config::{Config, DataConfig};
pub use detector::{Detector, Scored};
pub use error::EngineError;
pub use evaluate::TestScore;
pub use evaluate_run::evaluate_run;
pub use event::{Event, Observer};
pub use features::FeaturePrecision;
pub use log::EpochRecord;
pub use method::Method;
pub use model_file::{ModelInfo, Preprocessing};
pub use networks::{Discriminator, auto_encoder_config};
pub use overlay::{RAW_PNG_FULL_SCALE, RawMap};
pub use predict::{PredictOptions, Prediction, find_images, predict};
pub use preset::Preset;
pub use report::{
    AtThreshold, Counts, ImageFigures, ModelReport, PixelReport, Report, Seconds, TrainingCounts,
    write_test_scores,
};
pub use resolve::merge;
pub use run_folder::RunFolder;
pub use settings::{AnomalySource, Elastic, FeatureSource};
pub use step::{AnomalousRecord, Learner, Objective, StepRecord};
pub use threshold::Threshold;
pub use train::{Outcome, Surroundings, resume, train};
