//! The training run: images, features, steps, epochs, checkpoints, the model file.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use ckaad_backbone::Backbone;
use ckaad_data::{Split, anomalous_batch, epoch_batches};

use crate::checkpoint::Position;
use crate::event::{Event, Observer};
use crate::log::LossSums;
use crate::model_file::{ModelInfo, Preprocessing};
use crate::networks::auto_encoder_config;
use crate::prepare::{Anomalies, TrainingData, choose_split, warped};
use crate::{
    Config, Detector, Discriminator, EngineError, Learner, RunFolder, Threshold, checkpoint, log,
};

/// Steps between two looks at the losses (each waits for the device).
const CHECK_INTERVAL: usize = 16;

/// The normal training images that a threshold is chosen on where there are no validation images.
const THRESHOLD_IMAGES: usize = 200;

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
    let split = choose_split(config)?;
    let data = TrainingData::load(config, &split, with)?;
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
        position: Position::default(),
    };
    run.epochs()
}

/// Goes on with a run from its checkpoint and with the images that it was started with. `config` is the run's own, but
/// for the number of epochs, which may have grown.
///
/// # Errors
/// [`EngineError::NotARun`] if there is nothing to go on with, and any other [`EngineError`].
pub fn resume(
    config: &Config,
    folder: &RunFolder,
    with: Surroundings<'_>,
) -> Result<Outcome, EngineError> {
    let data = TrainingData::load(config, &Split::read(&folder.split())?, with)?;
    let learner = learner(config, with.device)?;
    // Stopped before its first checkpoint, a run loses nothing by starting over.
    let (learner, position) = match folder.checkpoint() {
        path if path.is_file() => checkpoint::load(&path, learner)?,
        _ => (learner, Position::default()),
    };
    ckaad_data::write_file(&folder.config(), config.to_toml()?.as_bytes())?;
    log::write(&folder.log(), &log::read(&folder.log(), position.epochs)?)?;
    let run = Run {
        config,
        folder,
        with,
        data,
        learner,
        position,
    };
    run.epochs()
}

fn learner(config: &Config, device: &Device) -> Result<Learner, EngineError> {
    let backbone = config.backbone_config()?;
    let device = device.clone().autodiff();
    let auto_encoder =
        auto_encoder_config(&backbone, config.norm.into()).init(config.seed, &device);
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

struct Run<'a> {
    config: &'a Config,
    folder: &'a RunFolder,
    with: Surroundings<'a>,
    data: TrainingData,
    learner: Learner,
    position: Position,
}

impl Run<'_> {
    fn epochs(mut self) -> Result<Outcome, EngineError> {
        while self.position.epochs < self.config.epochs {
            if self.epoch()? == Outcome::Stopped {
                return Ok(Outcome::Stopped);
            }
        }
        let auroc = self.last_validation_auroc()?;
        self.write_model(&self.folder.model(), self.position.epochs, auroc)?;
        Ok(Outcome::Finished)
    }

    fn epoch(&mut self) -> Result<Outcome, EngineError> {
        let config = self.config;
        let epoch = self.position.epochs;
        let batches = epoch_batches(
            self.data.normal.len(),
            config.batch,
            config.seed,
            epoch as u64,
        );
        let mut sums = LossSums::restore(std::mem::take(&mut self.position.sums));
        let earlier = self.position.seconds;
        let clock = Instant::now();
        let title = format!("epoch {}/{}", epoch + 1, config.epochs);
        for (step, batch) in batches.iter().enumerate().skip(self.position.steps) {
            let global = (epoch * batches.len() + step) as u64;
            let record = self.step(batch, epoch as u64, global);
            sums.add(record);
            let last = step + 1 == batches.len();
            let stop = !last && self.with.stop.load(Ordering::Relaxed);
            if last || stop || (step + 1).is_multiple_of(CHECK_INTERVAL) {
                let value = sums.total();
                if !value.is_finite() {
                    return Err(EngineError::Diverged {
                        epoch: epoch + 1,
                        step: step + 1,
                        value,
                    });
                }
            }
            (self.with.observer)(Event::Progress {
                what: &title,
                done: step + 1,
                total: batches.len(),
            });
            if stop {
                self.position.steps = step + 1;
                self.position.sums = sums.save();
                self.position.seconds = earlier + clock.elapsed().as_secs_f64();
                checkpoint::save(&self.folder.checkpoint(), &self.learner, &self.position)?;
                return Ok(Outcome::Stopped);
            }
        }
        let auroc = self.validate()?;
        let seconds = earlier + clock.elapsed().as_secs_f64();
        let record = sums.finish(epoch + 1, auroc, seconds);
        self.close_epoch(record)
    }

    fn step(&mut self, batch: &[usize], epoch: u64, global: u64) -> crate::StepRecord {
        let Surroundings {
            backbone, device, ..
        } = self.with;
        let normal = self.data.normal.batch(batch, backbone, device);
        let anomalous: Option<Vec<Tensor<4>>> = match &self.data.anomalies {
            Anomalies::None => None,
            Anomalies::Labelled(bank) => {
                let indices =
                    anomalous_batch(bank.len(), self.config.batch, self.config.seed, global);
                Some(bank.batch(&indices, backbone, device))
            }
            Anomalies::Elastic(transform) => {
                let seed = self.config.seed;
                let warped = warped(
                    self.data.normal.images(),
                    batch,
                    transform,
                    [seed, epoch],
                    device,
                );
                Some(backbone.forward(warped))
            }
        };
        self.learner.step(&normal, anomalous.as_deref())
    }

    /// Logs the epoch, keeps the model if it is the best so far, and writes the checkpoint.
    fn close_epoch(&mut self, record: log::EpochRecord) -> Result<Outcome, EngineError> {
        let best = self
            .position
            .best
            .map_or(f64::NEG_INFINITY, |(_, auroc)| auroc);
        if let Some(auroc) = record.validation_auroc.filter(|&auroc| auroc > best) {
            self.position.best = Some((record.epoch, auroc));
            self.write_model(&self.folder.best_model(), record.epoch, Some(auroc))?;
        }
        self.position = Position {
            epochs: record.epoch,
            best: self.position.best,
            ..Position::default()
        };
        log::append(&self.folder.log(), &record)?;
        checkpoint::save(&self.folder.checkpoint(), &self.learner, &self.position)?;
        (self.with.observer)(Event::Epoch {
            record: &record,
            epochs: self.config.epochs,
        });
        let stop = self.with.stop.load(Ordering::Relaxed) && record.epoch < self.config.epochs;
        Ok(if stop {
            Outcome::Stopped
        } else {
            Outcome::Finished
        })
    }

    fn detector(&self) -> Detector {
        Detector::new(
            self.config,
            self.with.backbone,
            &self.learner.auto_encoder,
            self.with.device,
        )
    }

    fn validate(&self) -> Result<Option<f64>, EngineError> {
        let labels = &self.data.validation_labels;
        let both = labels.contains(&true) && labels.contains(&false);
        if !both {
            return Ok(None);
        }
        let scores = self
            .data
            .validation
            .scores(&self.detector(), self.data.validation.len());
        Ok(Some(ckaad_metrics::auroc(&scores, labels)?))
    }

    fn last_validation_auroc(&self) -> Result<Option<f64>, EngineError> {
        let records = log::read(&self.folder.log(), self.position.epochs)?;
        Ok(records.last().and_then(|record| record.validation_auroc))
    }

    fn write_model(
        &self,
        path: &Path,
        epoch: usize,
        auroc: Option<f64>,
    ) -> Result<(), EngineError> {
        let detector = self.detector();
        let threshold = if self.data.validation_labels.contains(&false) {
            let scores = self
                .data
                .validation
                .scores(&detector, self.data.validation.len());
            Threshold::on_validation(&scores, &self.data.validation_labels)?
        } else {
            Threshold::on_training(&self.data.normal.scores(&detector, THRESHOLD_IMAGES))?
        };
        let info = ModelInfo {
            config: self.config.clone(),
            preprocessing: Preprocessing::new(self.config.image_size),
            threshold,
            epoch,
            validation_auroc: auroc,
            weights: self.with.weights.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        detector.save(path, &info)
    }
}
