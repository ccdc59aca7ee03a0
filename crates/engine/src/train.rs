//! Starting a run, and going on with one.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use burn::tensor::Device;
use ckaad_backbone::Backbone;
use ckaad_data::Split;

use crate::checkpoint::Position;
use crate::epochs::Run;
use crate::event::{Event, Observer};
use crate::networks::auto_encoder_config;
use crate::prepare::{TrainingData, choose_split};
use crate::{Config, Discriminator, EngineError, Learner, RunFolder, checkpoint, log};

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
pub struct Surroundings<'a> {
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

/// Starts a run. Its folder is made once the images have been read, so that wrong input leaves nothing behind.
///
/// # Errors
/// [`EngineError::OutputExists`] if `out` is there and not empty, and any other [`EngineError`].
pub fn train(config: &Config, out: &Path, with: Surroundings<'_>) -> Result<Outcome, EngineError> {
    RunFolder::check_free(out)?;
    config.check_device(with.device)?;
    let split = choose_split(config)?;
    let weights = with.backbone.fingerprint();
    let data = TrainingData::load(config, &split, with, &weights)?;
    (with.observer)(Event::Prepared);
    let folder = RunFolder::create(out)?;
    split.write(&folder.split())?;
    log::write(&folder.log(), &[])?;
    // Last, since a folder with a configuration is a run.
    ckaad_data::write_file(&folder.config(), config.to_toml()?.as_bytes())?;
    let learner = learner(config, with.device)?;
    let run = Run {
        config,
        folder: &folder,
        with,
        data,
        learner,
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
/// [`EngineError::NotARun`] if there is nothing to go on with, and any other [`EngineError`].
pub fn resume(
    config: &Config,
    folder: &RunFolder,
    with: Surroundings<'_>,
) -> Result<Outcome, EngineError> {
    config.check_device(with.device)?;
    let learner = learner(config, with.device)?;
    let weights = with.backbone.fingerprint();
    // Stopped before its first checkpoint, a run loses nothing by starting over.
    let (learner, position) = match folder.checkpoint() {
        path if path.is_file() => checkpoint::load(&path, learner, &weights)?,
        _ => (learner, Position::default()),
    };
    let split = Split::read(&folder.split())?;
    let data = TrainingData::load(config, &split, with, &weights)?;
    (with.observer)(Event::Prepared);
    ckaad_data::write_file(&folder.config(), config.to_toml()?.as_bytes())?;
    log::write(&folder.log(), &log::read(&folder.log(), position.epochs)?)?;
    let run = Run {
        config,
        folder,
        with,
        data,
        learner,
        weights,
        position,
        scores: None,
    };
    run.epochs()
}

fn learner(config: &Config, device: &Device) -> Result<Learner, EngineError> {
    let backbone = config.backbone_config()?;
    let device = device.clone().autodiff();
    let auto_encoder = auto_encoder_config(&backbone, config.norm).init(config.seed, &device);
    // Another seed: parameters of the same name in both networks must not start with the same values.
    let seed = config.seed.wrapping_add(1);
    let discriminator =
        Discriminator::new(config.method, &backbone, config.image_size, seed, &device);
    Ok(Learner::new(
        config.objective(),
        auto_encoder,
        discriminator,
    ))
}
