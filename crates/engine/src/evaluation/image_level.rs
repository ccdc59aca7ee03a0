use std::collections::BTreeMap;

use ckaad_data::Sample;
use ckaad_metrics::{Confusion, auroc, auroc_delong, average_precision, oracle_f1_max};

use super::report::{AtThreshold, Counts, ImageFigures};
use crate::EngineError;

/// Figures of the ranking of images; `None` unless there are both kinds.
pub(super) fn image_figures(
    scores: &[f64],
    labels: &[bool],
) -> Result<Option<ImageFigures>, EngineError> {
    if !(labels.contains(&true) && labels.contains(&false)) {
        return Ok(None);
    }
    let oracle = oracle_f1_max(scores, labels)?;
    // Not defined for a perfect ranking or a single image of a kind.
    let interval = auroc_delong(scores, labels, 0.95).ok();
    Ok(Some(ImageFigures {
        image_auroc: auroc(scores, labels)?,
        image_auroc_interval: interval.map(|interval| [interval.low, interval.high]),
        image_average_precision: average_precision(scores, labels)?,
        oracle_f1_max: oracle.f1,
        oracle_threshold: oracle.threshold,
        oracle_accuracy: oracle.confusion.accuracy(),
    }))
}

/// Figures of decisions.
pub(super) fn at_threshold(
    scores: &[f64],
    labels: &[bool],
    threshold: f64,
) -> Result<AtThreshold, EngineError> {
    let confusion = Confusion::at_threshold(scores, labels, threshold)?;
    Ok(AtThreshold {
        accuracy: confusion.accuracy(),
        f1: confusion.f1().ok(),
        sensitivity: confusion.sensitivity().ok(),
        specificity: confusion.specificity().ok(),
    })
}

/// Images by kind and class.
pub(super) fn counts(samples: &[Sample]) -> Counts {
    let mut classes = BTreeMap::new();
    for sample in samples {
        *classes.entry(sample.class.clone()).or_insert(0) += 1;
    }
    let anomalous = samples
        .iter()
        .filter(|sample| sample.label.is_anomalous())
        .count();
    Counts {
        normal: samples.len() - anomalous,
        anomalous,
        classes,
    }
}
