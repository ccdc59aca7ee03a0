//! Starting a run, and going on with one.

mod checkpoint;
mod data;
mod event;
pub(crate) mod features;
pub(crate) mod log;
mod loss_sums;
mod run;
mod run_folder;
mod split;
mod threshold;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use burn::tensor::Device;
use ckaad_backbone::Backbone;
use ckaad_data::Split;
use ckaad_detectors::{Setup, Trainer};

use self::checkpoint::Position;
use self::data::TrainingData;
use self::run::Run;
use self::split::choose_split;
use crate::{CheckedConfig, EngineError};

pub(crate) use self::data::load_images;
pub use self::event::{Event, Observer};
pub use self::features::FeaturePrecision;
pub use self::log::EpochRecord;
pub use self::run_folder::{ActiveRun, RunFolder};
pub use self::threshold::Threshold;

/// How a training call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done, the model file is written.
    Finished,
    /// It was asked to stop; the checkpoint says where to go on.
    Stopped,
}

/// What a run needs besides its settings.
#[derive(Clone, Copy)]
pub struct TrainContext<'a> {
    /// The frozen feature extractor.
    pub backbone: &'a Backbone,
    /// Where its weights came from, for the model file.
    pub weights: &'a str,
    /// Where to compute; without autodiff.
    pub device: &'a Device,
    /// Told about progress.
    pub observer: Observer<'a>,
    /// Set to end the run after the step under way.
    pub stop: &'a AtomicBool,
}

impl TrainContext<'_> {
    fn trainer(&self, config: &CheckedConfig) -> Box<dyn Trainer> {
        config.detector.trainer(&Setup {
            backbone: self.backbone,
            image_size: config.image_size,
            seed: config.seed,
            device: self.device,
        })
    }
}

/// Starts a run. Its folder is made once the images have been read, so that wrong input leaves nothing behind.
///
/// # Errors
/// [`EngineError::OutputExists`] if `out` is there and not empty, and any other [`EngineError`].
pub fn train(
    config: &CheckedConfig,
    out: &Path,
    with: TrainContext<'_>,
) -> Result<Outcome, EngineError> {
    RunFolder::check_free(out)?;
    config.check_device(with.device)?;
    let split = choose_split(config)?;
    let weights = with.backbone.fingerprint();
    let data = TrainingData::load(config, &split, with, &weights)?;
    (with.observer)(Event::Prepared);
    let folder = ActiveRun::create(out)?;
    split.write(&folder.split())?;
    log::write(&folder.log(), &[])?;
    // Last, since a folder with a configuration is a run.
    ckaad_files::write(&folder.config(), config.to_toml()?.as_bytes())?;
    let run = Run {
        config,
        folder: &folder,
        with,
        data,
        trainer: with.trainer(config),
        weights,
        position: Position::default(),
        scores: None,
    };
    run.epochs()
}

/// Goes on with a run from its checkpoint and with the images that it was started with. `config` is the run's own, but
/// for the number of epochs, which may have grown, and for where features are kept.
///
/// # Errors
/// [`EngineError::Setting`] if the run has done more epochs than `config` says, and any other [`EngineError`]; nothing is
/// written then.
pub fn resume(
    config: &CheckedConfig,
    folder: &ActiveRun,
    with: TrainContext<'_>,
) -> Result<Outcome, EngineError> {
    config.check_device(with.device)?;
    let weights = with.backbone.fingerprint();
    let mut trainer = with.trainer(config);
    // Stopped before its first checkpoint, a run loses nothing by starting over.
    let mut position = Position::default();
    let checkpoint = folder.checkpoint();
    if checkpoint.is_file() {
        let (state, at) = checkpoint::load(&checkpoint, &weights)?;
        trainer
            .restore(state)
            .map_err(|error| EngineError::file(&checkpoint, checkpoint::KIND, error))?;
        position = at;
    }
    let begun = usize::from(position.steps > 0);
    if config.epochs < position.epochs + begun {
        let reason = match begun {
            0 => format!("the run has done {} already", position.epochs),
            _ => format!("the run is in epoch {} already", position.epochs + 1),
        };
        return Err(EngineError::setting("epochs", config.epochs, reason));
    }
    let split = Split::read(&folder.split())?;
    let data = TrainingData::load(config, &split, with, &weights)?;
    (with.observer)(Event::Prepared);
    ckaad_files::write(&folder.config(), config.to_toml()?.as_bytes())?;
    log::write(&folder.log(), &log::read(&folder.log(), position.epochs)?)?;
    let run = Run {
        config,
        folder,
        with,
        data,
        trainer,
        weights,
        position,
        scores: None,
    };
    run.epochs()
}
