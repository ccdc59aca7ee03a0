use std::time::Instant;

use burn::tensor::Device;
use ckaad_data::Split;

use crate::evaluate::evaluate;
use crate::event::Observer;
use crate::prepare::load_images;
use crate::report::{Report, Seconds, TrainingCounts, definitions, write_test_scores};
use crate::{Config, Detector, EngineError, RunFolder, log};

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
    let (detector, info) = Detector::load(&folder.model(), None, device)?;
    let store = load_images(&split.test, &config, observer)?;
    let (last, scores) = evaluate(&detector, &info, &store, split.mask_rule, observer)?;
    let best_on_validation = match folder.best_model() {
        path if path.is_file() => {
            let (detector, info) = Detector::load(&path, None, device)?;
            Some(evaluate(&detector, &info, &store, split.mask_rule, observer)?.0)
        }
        _ => None,
    };
    let epochs = log::read(&folder.log(), config.epochs)?;
    write_test_scores(&folder.predictions(), &scores, last.threshold.value)?;
    let report = Report {
        last,
        best_on_validation,
        training: TrainingCounts {
            normal: split.normal.len(),
            labelled_anomalous: split.labelled.len(),
            validation: split.validation.len(),
        },
        config,
        weights: info.weights,
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
