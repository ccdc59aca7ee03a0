//! The training run itself: steps, epochs, validation, checkpoints, the model file.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use burn::tensor::Tensor;
use ckaad_data::{Ahead, Prefetch, TrainBatch};

use crate::checkpoint::Position;
use crate::event::Event;
use crate::features::tensor;
use crate::log::LossSums;
use crate::model_file::{ModelInfo, Preprocessing};
use crate::prepare::{Anomalies, TrainingData};
use crate::{
    Config, Detector, EngineError, Learner, Outcome, RunFolder, Surroundings, Threshold,
    checkpoint, log,
};

/// Steps between two looks at the losses (each waits for the device).
const CHECK_INTERVAL: usize = 16;

/// Threads that make images of later steps, and the bytes of images that are made ahead: a batch of the medical preset takes 50 MB.
const IMAGE_WORKERS: usize = 4;
const IMAGE_BYTES: u64 = 256 << 20;

/// The normal training images that a threshold is chosen on where there are no validation images.
const THRESHOLD_IMAGES: usize = 200;

/// A run under way.
pub(crate) struct Run<'a> {
    pub(crate) config: &'a Config,
    pub(crate) folder: &'a RunFolder,
    pub(crate) with: Surroundings<'a>,
    pub(crate) data: TrainingData,
    pub(crate) learner: Learner,
    /// The fingerprint of the backbone's weights.
    pub(crate) weights: String,
    pub(crate) position: Position,
    /// The scores of the validation images after the last epoch, if that epoch was validated here.
    pub(crate) scores: Option<Vec<f64>>,
}

impl Run<'_> {
    /// Trains until all epochs are done or it is asked to stop.
    pub(crate) fn epochs(mut self) -> Result<Outcome, EngineError> {
        let batches = self.data.batches(self.config);
        let steps = batches.steps_per_epoch();
        let done = (self.position.epochs * steps + self.position.steps) as u64;
        let workers = rayon::current_num_threads().min(IMAGE_WORKERS);
        let ahead = Ahead {
            workers: NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN),
            bytes: IMAGE_BYTES,
        };
        let mut batches = batches.prefetch(done, self.config.epochs as u64, ahead);
        while self.position.epochs < self.config.epochs {
            if self.epoch(steps, &mut batches)? == Outcome::Stopped {
                return Ok(Outcome::Stopped);
            }
        }
        let auroc = self.last_validation_auroc()?;
        let scores = self.scores.take();
        let scores = scores.unwrap_or_else(|| self.validation_scores());
        let path = self.folder.model();
        self.write_model(&path, self.position.epochs, auroc, &scores)?;
        Ok(Outcome::Finished)
    }

    fn epoch(
        &mut self,
        steps: usize,
        batches: &mut Prefetch<TrainBatch>,
    ) -> Result<Outcome, EngineError> {
        let config = self.config;
        let epoch = self.position.epochs;
        let mut sums = LossSums::restore(std::mem::take(&mut self.position.sums));
        let earlier = self.position.seconds;
        let clock = Instant::now();
        let title = format!("epoch {}/{}", epoch + 1, config.epochs);
        for (step, batch) in (self.position.steps..steps).zip(batches) {
            let record = self.step(batch);
            sums.add(record);
            let last = step + 1 == steps;
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
                total: steps,
            });
            if stop {
                self.position.steps = step + 1;
                self.position.sums = sums.save();
                self.position.seconds = earlier + clock.elapsed().as_secs_f64();
                self.save_checkpoint()?;
                return Ok(Outcome::Stopped);
            }
        }
        let (auroc, scores) = self.validate()?.unzip();
        let seconds = earlier + clock.elapsed().as_secs_f64();
        let record = sums.finish(epoch + 1, auroc, seconds);
        self.close_epoch(record, scores)
    }

    fn step(&mut self, batch: TrainBatch) -> crate::StepRecord {
        let Surroundings {
            backbone, device, ..
        } = self.with;
        let size = self.config.image_size;
        let features = |values| backbone.forward(tensor(values, size, device));
        let normal = match self.data.normal.is_kept() {
            true => self.data.normal.batch(&batch.step.normal, backbone, device),
            false => features(batch.normal),
        };
        let anomalous: Option<Vec<Tensor<4>>> = match &self.data.anomalies {
            Anomalies::None => None,
            Anomalies::Labelled(bank) if bank.is_kept() => {
                Some(bank.batch(&batch.step.anomalous, backbone, device))
            }
            Anomalies::Labelled(_) | Anomalies::Elastic(_) => Some(features(batch.anomalous)),
        };
        self.learner.step(&normal, anomalous.as_deref())
    }

    /// Logs the epoch, keeps the model if it is the best so far, and writes the checkpoint.
    fn close_epoch(
        &mut self,
        record: log::EpochRecord,
        scores: Option<Vec<f64>>,
    ) -> Result<Outcome, EngineError> {
        let best = self
            .position
            .best
            .map_or(f64::NEG_INFINITY, |(_, auroc)| auroc);
        let better = record.validation_auroc.filter(|&auroc| auroc > best);
        if let (Some(auroc), Some(scores)) = (better, &scores) {
            self.position.best = Some((record.epoch, auroc));
            let path = self.folder.best_model();
            self.write_model(&path, record.epoch, Some(auroc), scores)?;
        }
        self.position = Position {
            epochs: record.epoch,
            best: self.position.best,
            ..Position::default()
        };
        self.scores = scores;
        log::append(&self.folder.log(), &record)?;
        self.save_checkpoint()?;
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

    fn save_checkpoint(&self) -> Result<(), EngineError> {
        let path = self.folder.checkpoint();
        checkpoint::save(&path, &self.learner, &self.position, &self.weights)
    }

    fn validation_scores(&self) -> Vec<f64> {
        let validation = &self.data.validation;
        validation.scores(&self.detector(), validation.len())
    }

    /// AUROC and scores, or `None` unless there are validation images of both kinds.
    fn validate(&self) -> Result<Option<(f64, Vec<f64>)>, EngineError> {
        let labels = &self.data.validation_labels;
        if !(labels.contains(&true) && labels.contains(&false)) {
            return Ok(None);
        }
        let scores = self.validation_scores();
        Ok(Some((ckaad_metrics::auroc(&scores, labels)?, scores)))
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
        validation_scores: &[f64],
    ) -> Result<(), EngineError> {
        let detector = self.detector();
        let threshold = if self.data.validation_labels.contains(&false) {
            Threshold::on_validation(validation_scores, &self.data.validation_labels)?
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
