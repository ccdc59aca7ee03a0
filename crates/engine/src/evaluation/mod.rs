//! A finished run on its test images: `report.json` and `predictions.csv`.

mod controls;
mod image_level;
mod masks;
mod origin;
mod pixel_level;
pub(crate) mod predictions;
mod report;
mod test_images;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use burn::tensor::Device;
use ckaad_data::{ImageStore, Split};

use self::image_level::{at_threshold, counts, image_figures};
use self::masks::masks;
use self::origin::check_origin;
use self::pixel_level::PixelLevel;
use self::report::definitions;
use self::test_images::{split_of, unread};
use crate::comparison::anomalous;
use crate::comparison::controls::{Control, On, not_above};
use crate::scoring::results_folder;
use crate::training::features::{CHUNK, images};
use crate::training::{Event, Observer, check_stop, load_images, log};
use crate::{Config, EngineError, Predictor, RunFolder};

pub use self::controls::ControlReport;
pub use self::predictions::{Evaluated, evaluated};
pub use self::report::{
    AtThreshold, Counts, ImageFigures, ModelReport, PixelReport, PixelsOmitted, Report, Seconds,
    TrainingCounts,
};
pub use self::test_images::TestFolder;

/// What [`evaluate_run`] looks at, and where its results go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvaluateOptions {
    /// Other test images than those that the run was trained with.
    pub test: Option<TestFolder>,
    /// The folder of the results; by default the run's.
    pub out: Option<PathBuf>,
    /// Results that are in that folder are removed.
    pub overwrite: bool,
    /// Also report what the images give away without any network.
    pub controls: bool,
}

/// Evaluates a finished run on its test images, with the last model and the one that was best on validation, and writes
/// `report.json` and `predictions.csv` (scores of the last model). `device_name` is what the report calls the device. Where figures of pixels
/// cannot be had, [`ModelReport::pixels_omitted`] says why; all else is written.
///
/// # Errors
/// [`EngineError::Unfinished`] if the run has no model yet, [`EngineError::NoImages`] if there are no test images, or not where they were,
/// [`EngineError::Data`] if one cannot be read or masks that were given would make figures wrong, [`EngineError::Metric`] if a metric of
/// images fails.
pub fn evaluate_run(
    folder: &RunFolder,
    options: &EvaluateOptions,
    device_name: &str,
    device: &Device,
    observer: Observer<'_>,
) -> Result<Report, EngineError> {
    let never = AtomicBool::new(false);
    evaluate_run_until(folder, options, device_name, device, observer, &never)
}

/// [`evaluate_run`] that `stop` ends, once it is set, before anything is written.
///
/// # Errors
/// [`EngineError::StoppedEarly`] then, and those of [`evaluate_run`].
pub fn evaluate_run_until(
    folder: &RunFolder,
    options: &EvaluateOptions,
    device_name: &str,
    device: &Device,
    observer: Observer<'_>,
    stop: &AtomicBool,
) -> Result<Report, EngineError> {
    let clock = Instant::now();
    if !folder.model().is_file() {
        return Err(EngineError::Unfinished {
            path: folder.path().to_owned(),
        });
    }
    let config = Config::read(&folder.config())?;
    let split = split_of(folder, &config, options.test.as_ref())?;
    let results = match &options.out {
        Some(out) if out != folder.path() => {
            results_folder::prepare(out, std::iter::empty(), options.overwrite)?;
            RunFolder::results(out)
        }
        _ => folder.clone(),
    };
    let open = |path: PathBuf| {
        let model = Predictor::open(&path, None, device)?;
        check_origin(&path, &model, &config, &split, folder)?;
        Ok::<_, EngineError>(model)
    };
    let last = open(folder.model())?;
    let best = Some(folder.best_model())
        .filter(|path| path.is_file())
        .map(open)
        .transpose()?;
    // Often the last epoch is the best one, too.
    let other = best
        .as_ref()
        .filter(|best| best.info().epoch != last.info().epoch);
    check_stop(stop)?;
    let store = load_images(&split.test, &config, split.reading, observer)?;
    let mut models = vec![ModelOnImages::new(&last, &store)];
    models.extend(other.map(|model| ModelOnImages::new(model, &store)));
    score(&mut models, &store, &split, observer, stop)?;

    predictions::write(
        &results.predictions(),
        store.samples(),
        &models[0].scores,
        &last,
    )?;
    let left_out = unread(&split, &store);
    // It only tells how long training took.
    let epochs = log::read(&folder.log(), config.epochs).unwrap_or_else(|error| {
        tracing::warn!("the time that training took is left out: {error}");
        Vec::new()
    });
    let weights = last.info().weights.clone();
    let with_controls = options.controls;
    let (controls, near_duplicates) = with_controls
        .then(|| controls::on_images(&config, &split, &store, observer))
        .transpose()?
        .unzip();
    let mut reports = models
        .into_iter()
        .map(|model| model.report(&store, controls.as_deref()));
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
        controls: controls
            .zip(near_duplicates)
            .map(|(controls, near_duplicates)| {
                let figures = controls.into_iter().map(|control| control.figures);
                ControlReport {
                    figures: figures.collect(),
                    near_duplicates,
                }
            }),
        test: options.test.clone(),
        data: split.account,
        left_out,
        weights,
        device: device_name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seconds: Seconds {
            training: epochs.iter().map(|record| record.seconds).sum(),
            evaluation: clock.elapsed().as_secs_f64(),
        },
        definitions: definitions(),
    };
    report.write(&results.report())?;
    Ok(report)
}

/// A model, and what it says of the test images.
struct ModelOnImages<'a> {
    model: &'a Predictor,
    scores: Vec<f64>,
    pixels: Option<PixelLevel>,
    /// Why there are none.
    pixels_omitted: Option<PixelsOmitted>,
}

/// Scores the test images with every model, on features that are computed once: the models of a run have one backbone.
fn score(
    models: &mut [ModelOnImages<'_>],
    store: &ImageStore,
    split: &Split,
    observer: Observer<'_>,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let samples = store.samples();
    let indices: Vec<usize> = (0..samples.len()).collect();
    let Some(first) = models.first().map(|model| model.model) else {
        return Ok(());
    };
    for chunk in indices.chunks(CHUNK) {
        check_stop(stop)?;
        let inputs = first.inputs(images(store, chunk, first.device()));
        let with_masks = models.iter().any(|model| model.pixels.is_some());
        let masks = match with_masks {
            true => masks(chunk, store, split),
            false => Ok(vec![None; chunk.len()]),
        };
        if let Err(error) = &masks {
            models.iter_mut().for_each(|model| model.omit_pixels(error));
        }
        let masks = masks.unwrap_or_default();
        for model in &mut *models {
            let scored = model.model.detector().score(&inputs);
            if let Some((&index, _)) = chunk
                .iter()
                .zip(&scored)
                .find(|(_, scored)| !scored.is_finite())
            {
                let image = samples[index].path.file();
                return Err(EngineError::file(image, "image", EngineError::NoScore));
            }
            model
                .scores
                .extend(scored.iter().map(|scored| scored.score));
            for ((&index, scored), mask) in chunk.iter().zip(scored).zip(&masks) {
                if let (Some(pixels), Some(map)) = (&mut model.pixels, &scored.map)
                    && let Err(error) = pixels.push(index, map, mask.as_ref())
                {
                    model.omit_pixels(&error);
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
        let (pixels, pixels_omitted) = match model.info().maps {
            Some(_) => PixelLevel::new(store.samples(), store.size()),
            None => (None, None),
        };
        Self {
            model,
            scores: Vec::with_capacity(store.len()),
            pixels,
            pixels_omitted,
        }
    }

    /// Gives up on figures of pixels, and on nothing else.
    fn omit_pixels(&mut self, error: &dyn std::error::Error) {
        self.pixels = None;
        self.pixels_omitted.get_or_insert(PixelsOmitted {
            reason: error.to_string(),
            failed: true,
        });
    }

    /// Every figure that is defined on the images.
    fn report(
        mut self,
        store: &ImageStore,
        controls: Option<&[Control]>,
    ) -> Result<ModelReport, EngineError> {
        let pixel = self.pixels.take().map(PixelLevel::finish).transpose();
        let pixel = pixel.unwrap_or_else(|error| {
            self.omit_pixels(&error);
            None
        });
        let info = self.model.info();
        let labels = anomalous(store);
        let not_above = controls.map(|of| not_above(&self.scores, &labels, of, On::Test));
        Ok(ModelReport {
            epoch: info.epoch,
            validation_auroc: info.validation_auroc,
            image: image_figures(&self.scores, &labels)?,
            at_threshold: at_threshold(&self.scores, &labels, info.threshold.value)?,
            pixel,
            pixels_omitted: self.pixels_omitted,
            threshold: info.threshold.clone(),
            counts: counts(store.samples()),
            not_above_control: not_above.transpose()?.flatten(),
        })
    }
}
