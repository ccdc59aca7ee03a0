//! Engine.
#![allow(dead_code, missing_docs)]
mod atomic;
mod checkpoint;
mod config;
mod detector;
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
mod report;
mod run_folder;
mod step;
mod threshold;
mod train;
pub use config::{
    AnomalySource, Config, DataConfig, Elastic, FeatureSource, NormName, Preset, ScoreRule,
};
pub use detector::{Detector, Scored};
pub use error::EngineError;
pub use evaluate::{TestScore, evaluate};
pub use evaluate_run::evaluate_run;
pub use event::{Event, Observer};
pub use log::EpochRecord;
pub use method::Method;
pub use model_file::{ModelInfo, Preprocessing};
pub use networks::{Discriminator, auto_encoder_config};
pub use overlay::{RAW_PNG_FULL_SCALE, RawMap};
pub use predict::{PredictOptions, Prediction, find_images, predict};
pub use report::{
    AtThreshold, Counts, ImageFigures, ModelReport, PixelReport, Report, Seconds, TrainingCounts,
    write_test_scores,
};
pub use run_folder::RunFolder;
pub use step::{AnomalousRecord, Learner, Objective, StepRecord};
pub use threshold::Threshold;
pub use train::{Outcome, Surroundings, resume, train};
