//! The training run itself: steps, epochs, validation, checkpoints, the model file.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ckaad_data::{Ahead, Prefetch, TrainBatch};
use ckaad_detectors::{Detector, Inputs, Losses, Passes, Trainer};
use ckaad_metrics::Calibration;

use super::checkpoint::{self, Position};
use super::data::{ImageScore, TrainingData};
use super::held_out::Normals;
use super::log::{self, EpochRecord};
use super::loss_sums::LossSums;
use super::origin::Origin;
use super::threshold::{Threshold, Validation};
use super::watchdog::Watchdog;
use super::{Event, Outcome, RunFolder, TrainContext};
use crate::scoring::{MapInfo, ModelInfo, Preprocessing};
use crate::{CheckedConfig, EngineError, Predictor};

/// Steps between two looks at the losses (each waits for the device).
pub(super) const CHECK_INTERVAL: usize = 16;

/// Threads that make images of later steps, and the bytes of images that are made ahead: a batch of the medical preset takes 50 MB.
const IMAGE_WORKERS: usize = 4;
const IMAGE_BYTES: u64 = 256 << 20;

/// A run under way.
pub(crate) struct Run<'a> {
    pub(crate) config: &'a CheckedConfig,
    pub(crate) folder: &'a RunFolder,
    pub(crate) with: TrainContext<'a>,
    pub(crate) data: TrainingData,
    pub(crate) trainer: Box<dyn Trainer>,
    pub(crate) origin: Origin,
    pub(crate) position: Position,
    /// The scores of the validation images after the last epoch, if that epoch was validated here.
    pub(crate) scores: Option<Vec<ImageScore>>,
    /// Whether it was said that learning seems to have failed.
    pub(crate) warned: bool,
}

impl Run<'_> {
    /// Trains until all epochs are done or it is asked to stop.
    pub(crate) fn epochs(mut self) -> Result<Outcome, EngineError> {
        let batches = self.data.batches(self.config);
        let schedule = *batches.schedule();
        let done = schedule.steps_before(self.position.epochs as u64) + self.position.steps as u64;
        let workers = rayon::current_num_threads().min(IMAGE_WORKERS);
        let ahead = Ahead {
            workers: NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN),
            bytes: IMAGE_BYTES,
        };
        let mut batches = batches.prefetch(done, self.config.epochs as u64, ahead);
        while self.position.epochs < self.config.epochs {
            let steps = schedule.steps_in(self.position.epochs as u64);
            if self.position.steps > steps {
                let (path, reason) = (
                    self.folder.checkpoint(),
                    "it is of an epoch with more steps",
                );
                return Err(EngineError::file(&path, checkpoint::KIND, reason));
            }
            if self.epoch(steps, &mut batches)? == Outcome::Stopped {
                return Ok(Outcome::Stopped);
            }
        }
        let detector = self.detector();
        let scores = self.scores.take();
        let scores = scores.unwrap_or_else(|| self.validation_scores(&*detector));
        let (path, auroc) = (self.folder.model(), self.position.validation_auroc);
        self.write_model(&path, self.position.epochs, auroc, detector, &scores)?;
        Ok(Outcome::Finished)
    }

    /// Goes on with the epoch under way, to its end or until it is asked to stop.
    fn epoch(
        &mut self,
        steps: usize,
        batches: &mut Prefetch<TrainBatch>,
    ) -> Result<Outcome, EngineError> {
        let epoch = self.position.epochs + 1;
        let mut sums = LossSums::from(std::mem::take(&mut self.position.sums));
        let earlier = self.position.seconds;
        let clock = Instant::now();
        let title = format!("epoch {epoch}/{}", self.config.epochs);
        let ahead = steps - self.position.steps;
        let mut watchdog = Watchdog::new(epoch);
        for (step, batch) in (self.position.steps + 1..).zip(batches.take(ahead)) {
            let last = step == steps;
            watchdog.see(step, &batch.step);
            let (losses, normal) = self.step(batch);
            sums.add(losses, self.trainer.watched());
            let stop = !last && self.with.stop.load(Ordering::Relaxed);
            if last || stop || step.is_multiple_of(CHECK_INTERVAL) {
                watchdog.check_values(self, &mut sums)?;
            }
            if last {
                watchdog.normal = Some(normal);
            }
            (self.with.observer)(Event::Progress {
                what: &title,
                done: step,
                total: steps,
            });
            if stop {
                self.position.steps = step;
                self.position.sums = sums.read().clone();
                self.position.seconds = earlier + clock.elapsed().as_secs_f64();
                if self.config.detector.needs().passes == Passes::Epochs {
                    watchdog.check_parameters(self, step)?;
                }
                self.save_checkpoint()?;
                return Ok(Outcome::Stopped);
            }
        }
        self.trainer.end_pass()?;
        watchdog.check_parameters(self, steps)?;
        if !self.warned {
            self.warned = watchdog.warns(self);
        }
        self.close_epoch(sums, epoch, earlier, clock)
    }

    /// The losses of a step, and what the detector saw of normal images.
    fn step(&mut self, batch: TrainBatch) -> (Losses, Inputs) {
        let (normal, anomalous) = self.data.inputs(batch, self.config, self.with);
        (self.trainer.step(&normal, anomalous.as_ref()), normal)
    }

    /// Validates, keeps the model if it is the best so far, logs the epoch, and writes the checkpoint.
    fn close_epoch(
        &mut self,
        mut sums: LossSums,
        epoch: usize,
        earlier: f64,
        clock: Instant,
    ) -> Result<Outcome, EngineError> {
        let mut position = Position {
            epochs: epoch,
            best: self.position.best,
            ..Position::default()
        };
        self.scores = None;
        self.folder.check_there()?;
        if self.data.validation_has_both_kinds() {
            let detector = self.detector();
            let scores = self.validation_scores(&*detector);
            let auroc = ckaad_metrics::auroc(&values(&scores), &self.data.validation_labels)?;
            if epoch == self.config.epochs && auroc < 0.5 {
                tracing::warn!(
                    "the AUROC on the validation images is {auroc:.3}: the detector ranks them the wrong way round, and its decisions \
                     mean nothing; look at the images, or try another detector"
                );
            }
            if position.is_best(epoch, auroc) {
                let path = self.folder.best_model();
                self.write_model(&path, epoch, Some(auroc), detector, &scores)?;
            }
            self.scores = Some(scores);
        }
        let sums = sums.read();
        let record = EpochRecord {
            epoch,
            steps: sums.steps(),
            losses: sums.means(),
            validation_auroc: position.validation_auroc,
            seconds: earlier + clock.elapsed().as_secs_f64(),
        };
        self.position = position;
        log::append(&self.folder.log(), &record)?;
        self.save_checkpoint()?;
        (self.with.observer)(Event::Epoch {
            record: &record,
            epochs: self.config.epochs,
        });
        let stop = self.with.stop.load(Ordering::Relaxed) && epoch < self.config.epochs;
        Ok(if stop {
            Outcome::Stopped
        } else {
            Outcome::Finished
        })
    }

    fn save_checkpoint(&self) -> Result<(), EngineError> {
        self.folder.check_there()?;
        let path = self.folder.checkpoint();
        checkpoint::save(&path, &self.trainer.save()?, &self.position, &self.origin)
    }

    /// What has been learned so far, with the choices settled that held-out images decide.
    fn detector(&self) -> Box<dyn Detector> {
        let mut detector = self.trainer.detector();
        detector.tune(self);
        detector
    }

    fn validation_scores(&self, detector: &dyn Detector) -> Vec<ImageScore> {
        let all: Vec<usize> = (0..self.data.validation.len()).collect();
        let validation = &self.data.validation;
        validation.scores(detector, &all, self.config, self.with)
    }

    fn write_model(
        &self,
        path: &Path,
        epoch: usize,
        auroc: Option<f64>,
        detector: Box<dyn Detector>,
        validation_scores: &[ImageScore],
    ) -> Result<(), EngineError> {
        let Normals { scores, held_out } = self.normals(&*detector, validation_scores);
        let thresholds = Thresholds {
            held_out,
            alpha: self.config.alpha,
            labels: &self.data.validation_labels,
        };
        let peaks = |scores: &[ImageScore]| scores.iter().map(|score| score.peak).collect();
        let peaks: (Option<Vec<f64>>, Option<Vec<f64>>) =
            (peaks(&scores), peaks(validation_scores));
        let maps = match peaks {
            (Some(normal), Some(validation)) => Some(MapInfo {
                threshold: thresholds.choose(&normal, &validation)?,
                range: detector.map_range(),
            }),
            _ => None,
        };
        let scores = values(&scores);
        let info = ModelInfo {
            config: self.config.clone(),
            preprocessing: Preprocessing::new(self.config.image_size, self.data.reading),
            threshold: thresholds.choose(&scores, &values(validation_scores))?,
            calibration: if held_out { scores } else { Vec::new() },
            maps,
            epoch,
            validation_auroc: auroc,
            weights: self.with.weights.to_owned(),
            images: self.origin.images.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let backbone = self.with.backbone.clone();
        Predictor::new(backbone, detector, info, self.with.device).save(path)
    }
}

/// How the thresholds of images and of pixels are chosen.
struct Thresholds<'a> {
    held_out: bool,
    alpha: f64,
    labels: &'a [bool],
}

impl Thresholds<'_> {
    fn choose(&self, normal: &[f64], scores: &[f64]) -> Result<Threshold, EngineError> {
        let validation = Validation {
            scores,
            labels: self.labels,
        };
        if self.held_out {
            let calibration = Calibration::new(normal)?;
            let both = self.labels.contains(&true) && self.labels.contains(&false);
            Threshold::calibrated(&calibration, self.alpha, both.then_some(validation))
        } else if self.labels.contains(&false) {
            Threshold::on_validation(validation)
        } else {
            Threshold::on_training(normal)
        }
    }
}

fn values(scores: &[ImageScore]) -> Vec<f64> {
    scores.iter().map(|score| score.score).collect()
}
