//! Starting a run, and going on with one.

mod anomalies;
mod backbone;
pub(crate) mod checkpoint;
mod data;
mod event;
pub(crate) mod features;
mod few_images;
mod held_out;
pub(crate) mod log;
mod loss_sums;
mod old_parts;
mod origin;
mod reading;
mod run;
mod run_folder;
mod split;
mod threshold;
mod watchdog;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;
use ckaad_backbone::Backbone;
use ckaad_data::Split;
use ckaad_detectors::{Setup, Trainer};

use self::checkpoint::Position;
use self::features::FeatureStorage;
use self::origin::Origin;
use self::run::Run;
use crate::{CheckedConfig, EngineError};

pub(crate) use self::anomalies::Anomalies;
pub use self::backbone::open_backbone;
pub(crate) use self::data::{TrainingData, schedule, warn_of_few};
pub use self::event::{Event, Observer};
pub use self::features::FeaturePrecision;
pub(crate) use self::few_images::with_epochs_for;
pub use self::log::{EpochRecord, read as read_log};
pub(crate) use self::origin::{check_images, check_settings};
pub(crate) use self::reading::load_images;
pub use self::run_folder::{ActiveRun, RunFolder};
pub(crate) use self::split::{check_labelled, choose_split};
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
    /// Set to end the run after the step under way, or before it begins while its images are prepared.
    pub stop: &'a AtomicBool,
}

impl TrainContext<'_> {
    /// A trainer for so many normal images.
    pub(crate) fn trainer(&self, config: &CheckedConfig, normal: usize) -> Box<dyn Trainer> {
        config.detector.trainer(&Setup {
            backbone: self.backbone,
            image_size: config.image_size,
            seed: config.seed,
            steps: schedule(config, [normal, 0]).steps_before(config.epochs as u64),
            device: self.device,
        })
    }
}

/// Ends what a run prepares, if it was asked to stop.
pub(crate) fn check_stop(stop: &AtomicBool) -> Result<(), EngineError> {
    match stop.load(Ordering::Relaxed) {
        true => Err(EngineError::StoppedEarly),
        false => Ok(()),
    }
}

/// Starts a run. Its folder is made once the images have been read, so that wrong input leaves nothing behind.
///
/// # Errors
/// [`EngineError::OutputExists`] if `out` is there and not empty, [`EngineError::StoppedEarly`] if it was asked to stop before the run began, and any
/// other [`EngineError`].
pub fn train(
    config: &CheckedConfig,
    out: &Path,
    with: TrainContext<'_>,
) -> Result<Outcome, EngineError> {
    RunFolder::check_free(out)?;
    config.check_device(with.device)?;
    let split = choose_split(config)?;
    let config = &with_epochs_for(config, split.normal.len())?;
    let prepared = Prepared::load(config, split, with)?;
    (with.observer)(Event::Prepared);
    start(config, out, prepared, with)
}

/// Starts a run on images that have been read.
///
/// # Errors
/// As [`train`].
pub(crate) fn start(
    config: &CheckedConfig,
    out: &Path,
    prepared: Prepared,
    with: TrainContext<'_>,
) -> Result<Outcome, EngineError> {
    let folder = ActiveRun::create(out)?;
    prepared.split.write(&folder.split())?;
    log::write(&folder.log(), &[])?;
    // Last, since a folder with a configuration is a run.
    ckaad_files::write(&folder.config(), config.to_toml()?.as_bytes())?;
    let trainer = with.trainer(config, prepared.split.normal.len());
    run(
        config,
        &folder,
        with,
        prepared,
        (trainer, Position::default()),
    )
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
    let split = Split::read(&folder.split())?;
    let reached = reached(config, folder, &split, with)?;
    let prepared = Prepared::load(config, split, with)?;
    (with.observer)(Event::Prepared);
    go_on(config, folder, prepared, reached, with)
}

/// Goes on with a run on its images, which have been read.
///
/// # Errors
/// As [`resume`].
pub(crate) fn go_on(
    config: &CheckedConfig,
    folder: &ActiveRun,
    prepared: Prepared,
    reached: Reached,
    with: TrainContext<'_>,
) -> Result<Outcome, EngineError> {
    ckaad_files::write(&folder.config(), config.to_toml()?.as_bytes())?;
    log::write(&folder.log(), &log::read(&folder.log(), reached.1.epochs)?)?;
    run(config, folder, with, prepared, reached)
}

/// What has been learned, and how far the run has come.
pub(crate) type Reached = (Box<dyn Trainer>, Position);

/// What a run reached by its last checkpoint. Stopped before its first one, it loses nothing by starting over.
pub(crate) fn reached(
    config: &CheckedConfig,
    folder: &RunFolder,
    split: &Split,
    with: TrainContext<'_>,
) -> Result<Reached, EngineError> {
    let mut trainer = with.trainer(config, split.normal.len());
    let mut position = Position::default();
    let checkpoint = folder.checkpoint();
    if checkpoint.is_file() {
        let origin = Origin::new(config, split, folder, with.backbone.fingerprint())?;
        let (state, at) = checkpoint::load(&checkpoint, &origin)?;
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
    Ok((trainer, position))
}

fn run(
    config: &CheckedConfig,
    folder: &RunFolder,
    with: TrainContext<'_>,
    prepared: Prepared,
    (trainer, position): Reached,
) -> Result<Outcome, EngineError> {
    let run = Run {
        config,
        folder,
        with,
        data: prepared.data,
        trainer,
        origin: Origin::new(config, &prepared.split, folder, prepared.weights)?,
        position,
        scores: None,
        warned: false,
    };
    run.epochs()
}

/// The images of a run, read, and their features where they are kept.
pub(crate) struct Prepared {
    pub(crate) split: Split,
    pub(crate) data: TrainingData,
    /// The fingerprint of the backbone's weights.
    pub(crate) weights: String,
}

impl Prepared {
    fn load(
        config: &CheckedConfig,
        mut split: Split,
        with: TrainContext<'_>,
    ) -> Result<Self, EngineError> {
        let weights = with.backbone.fingerprint();
        let mut storage = FeatureStorage::new(config, &weights, with)?;
        let mut data = TrainingData::load(config, &mut split, with, &mut storage)?;
        warn_of_few(std::slice::from_ref(config), data.normal.len());
        if !config.detector.needs().images {
            data.forget_pixels();
        }
        Ok(Self {
            split,
            data,
            weights,
        })
    }
}
