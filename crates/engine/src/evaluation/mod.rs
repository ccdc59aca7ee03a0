//! A finished run on its test images: `report.json` and `predictions.csv`.

mod image_level;
mod pixel_level;
mod report;

use std::time::Instant;

use burn::tensor::Device;
use ckaad_data::{ImageStore, Split, load_mask};

use self::image_level::{at_threshold, counts, image_figures};
use self::pixel_level::PixelLevel;
use self::report::definitions;
use crate::scoring::{decision, number, write_table};
use crate::training::features::{CHUNK, images};
use crate::training::{Event, Observer, load_images, log};
use crate::{Config, EngineError, Predictor, RunFolder};

pub use self::report::{
    AtThreshold, Counts, ImageFigures, ModelReport, PixelReport, Report, Seconds, TrainingCounts,
};

/// Evaluates a finished run on its test images, with the last model and the one that was best on validation, and writes
/// `report.json` and `predictions.csv` (scores of the last model). `device_name` is what the report calls the device.
///
/// # Errors
/// [`EngineError::NotARun`] if the run has no model yet, [`EngineError::NoImages`] if the
/// run has no test images, [`EngineError::Data`] if one or its mask cannot be read, [`EngineError::Metric`] if a metric fails.
pub fn evaluate_run(
    folder: &RunFolder,
    device_name: &str,
    device: &Device,
    observer: Observer<'_>,
) -> Result<Report, EngineError> {
    let clock = Instant::now();
    if !folder.model().is_file() {
        return Err(EngineError::NotARun {
            path: folder.path().to_owned(),
            missing: "model.safetensors (training did not finish)",
        });
    }
    let config = Config::read(&folder.config())?;
    let split = Split::read(&folder.split())?;
    if split.test.is_empty() {
        return Err(EngineError::NoImages {
            reason: "the run has no test images: give some when training (--test DIR), or score images with `predict`"
                .to_owned(),
        });
    }
    let last = Predictor::open(&folder.model(), None, device)?;
    let best = match folder.best_model() {
        path if path.is_file() => Some(Predictor::open(&path, None, device)?),
        _ => None,
    };
    // Often the last epoch is the best one, too.
    let other = best
        .as_ref()
        .filter(|best| best.info().epoch != last.info().epoch);
    let store = load_images(&split.test, &config, split.reading, observer)?;
    let mut models = vec![ModelOnImages::new(&last, &store)];
    models.extend(other.map(|model| ModelOnImages::new(model, &store)));
    score(&mut models, &store, &split, observer)?;

    let samples = store.samples();
    let scores = models[0].scores.iter();
    let rows = samples.iter().zip(scores).map(|(sample, score)| {
        [
            sample.path.to_string(),
            decision(sample.label.is_anomalous()).to_owned(),
            sample.class.clone(),
            score.to_string(),
            decision(*score >= last.info().threshold.value).to_owned(),
            number(last.p_value(*score)),
        ]
    });
    let header = ["path", "label", "class", "score", "decision", "p_value"];
    write_table(&folder.predictions(), header, rows)?;
    let epochs = log::read(&folder.log(), config.epochs)?;
    let weights = last.info().weights.clone();
    let mut reports = models.into_iter().map(|model| model.report(&store));
    let of_last = reports.next().transpose()?;
    let of_other = reports.next().transpose()?;
    let of_last = of_last.unwrap_or_else(|| unreachable!("the last model was scored"));
    let report = Report {
        best_on_validation: best.is_some().then(|| of_other.unwrap_or(of_last.clone())),
        last: of_last,
        training: TrainingCounts {
            normal: split.normal.len(),
            labelled_anomalous: split.labelled.len(),
            validation: split.validation.len(),
            calibration: split.calibration.len(),
        },
        config,
        weights,
        device: device_name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seconds: Seconds {
            training: epochs.iter().map(|record| record.seconds).sum(),
            evaluation: clock.elapsed().as_secs_f64(),
        },
        definitions: definitions(),
    };
    report.write(&folder.report())?;
    Ok(report)
}

/// A model, and what it says of the test images.
struct ModelOnImages<'a> {
    model: &'a Predictor,
    scores: Vec<f64>,
    pixels: Option<PixelLevel>,
}

/// Scores the test images with every model, on features that are computed once: the models of a run have one backbone.
fn score(
    models: &mut [ModelOnImages<'_>],
    store: &ImageStore,
    split: &Split,
    observer: Observer<'_>,
) -> Result<(), EngineError> {
    let samples = store.samples();
    let indices: Vec<usize> = (0..samples.len()).collect();
    let Some(first) = models.first().map(|model| model.model) else {
        return Ok(());
    };
    let with_masks = models.iter().any(|model| model.pixels.is_some());
    for chunk in indices.chunks(CHUNK) {
        let inputs = first.inputs(images(store, chunk, first.device()));
        let masks = chunk
            .iter()
            .map(|&index| {
                let files = &samples[index].masks;
                let wanted = with_masks && !files.is_empty();
                let load = || {
                    load_mask(
                        files,
                        store.size(),
                        split.mask_rule,
                        split.mask_resize,
                        split.reading.orientation,
                    )
                };
                wanted.then(load).transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        for model in &mut *models {
            let scored = model.model.detector().score(&inputs);
            for ((&index, scored), mask) in chunk.iter().zip(scored).zip(&masks) {
                model.scores.push(scored.score);
                if let (Some(pixels), Some(map)) = (&mut model.pixels, &scored.map) {
                    pixels.push(index, map, mask.as_ref())?;
                }
            }
        }
        observer(Event::Progress {
            what: "scoring test images",
            done: chunk.last().map_or(0, |last| last + 1),
            total: samples.len(),
        });
    }
    Ok(())
}

impl<'a> ModelOnImages<'a> {
    fn new(model: &'a Predictor, store: &ImageStore) -> Self {
        let maps = model.info().maps.is_some();
        Self {
            model,
            scores: Vec::with_capacity(store.len()),
            pixels: maps
                .then(|| PixelLevel::new(store.samples(), store.size()))
                .flatten(),
        }
    }

    /// Every figure that is defined on the images.
    fn report(self, store: &ImageStore) -> Result<ModelReport, EngineError> {
        let info = self.model.info();
        let samples = store.samples();
        let labels: Vec<bool> = samples
            .iter()
            .map(|sample| sample.label.is_anomalous())
            .collect();
        Ok(ModelReport {
            epoch: info.epoch,
            validation_auroc: info.validation_auroc,
            image: image_figures(&self.scores, &labels)?,
            at_threshold: at_threshold(&self.scores, &labels, info.threshold.value)?,
            pixel: self.pixels.map(PixelLevel::finish).transpose()?,
            threshold: info.threshold.clone(),
            counts: counts(samples),
        })
    }
}
