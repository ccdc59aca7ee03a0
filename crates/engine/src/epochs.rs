//! The training run itself: steps, epochs, validation, checkpoints, the model file.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use burn::tensor::Tensor;
use ckaad_data::{Prefetch, TrainBatch, anomalous_batch, epoch_batches};

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

/// Threads that make images of later steps, and steps that they are ahead: a batch of the medical preset takes 50 MB.
const IMAGE_WORKERS: usize = 4;

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
        let mut images = self.images();
        while self.position.epochs < self.config.epochs {
            if self.epoch(images.as_mut())? == Outcome::Stopped {
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

    /// The images of the steps that are left, made ahead, if any are needed.
    fn images(&self) -> Option<Prefetch<TrainBatch>> {
        let batches = self.data.images_of_steps(self.config)?;
        let workers = NonZeroUsize::new(rayon::current_num_threads().min(IMAGE_WORKERS))?;
        let done = self.position.epochs * batches.steps_per_epoch() + self.position.steps;
        Some(batches.prefetch(done as u64, self.config.epochs as u64, workers, workers))
    }

    fn epoch(
        &mut self,
        mut images: Option<&mut Prefetch<TrainBatch>>,
    ) -> Result<Outcome, EngineError> {
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
            let made = images.as_mut().and_then(Iterator::next);
            let record = self.step(batch, made, global);
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
                self.save_checkpoint()?;
                return Ok(Outcome::Stopped);
            }
        }
        let (auroc, scores) = self.validate()?.unzip();
        let seconds = earlier + clock.elapsed().as_secs_f64();
        let record = sums.finish(epoch + 1, auroc, seconds);
        self.close_epoch(record, scores)
    }

    fn step(
        &mut self,
        batch: &[usize],
        images: Option<TrainBatch>,
        global: u64,
    ) -> crate::StepRecord {
        let Surroundings {
            backbone, device, ..
        } = self.with;
        let config = self.config;
        let (normal_images, anomalous_images) = images.map_or((None, None), |made| {
            (Some(made.normal), Some(made.anomalous))
        });
        let features = |values| backbone.forward(tensor(values, config.image_size, device));
        let normal = match normal_images.filter(|_| !self.data.normal.is_kept()) {
            Some(values) => features(values),
            None => self.data.normal.batch(batch, backbone, device),
        };
        let anomalous: Option<Vec<Tensor<4>>> = match &self.data.anomalies {
            Anomalies::None => None,
            Anomalies::Labelled(bank) if bank.is_kept() => {
                let indices = anomalous_batch(bank.len(), config.batch, config.seed, global);
                Some(bank.batch(&indices, backbone, device))
            }
            Anomalies::Labelled(_) | Anomalies::Elastic(_) => anomalous_images.map(features),
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
