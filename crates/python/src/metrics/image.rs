//! Figures of labelled scores.

use ckaad_metrics as of;
use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;

use super::figures::{AurocInterval, OracleF1, OracleOperatingPoint, PairedDelong, PartialAuroc};
use crate::arrays::{Labels, Scores, with_scores};
use crate::errors;

/// Functions of scores and labels, and of a number where there is one.
macro_rules! of_scores {
    ($($(#[$doc:meta])* $name:ident($($number:ident: f64),*) -> $type:ty;)*) => {$(
        $(#[$doc])*
        #[pyfunction]
        pub(crate) fn $name(
            py: Python<'_>,
            scores: Scores<'_>,
            labels: Labels<'_>,
            $($number: f64,)*
        ) -> PyResult<$type> {
            let labels = labels.slice()?;
            with_scores!(py, scores, |scores| of::$name(scores, labels $(, $number)*))
                .map(<$type>::from)
                .map_err(errors::metric)
        }
    )*};
}

of_scores! {
    /// Area under the ROC curve, in [0, 1]; equal to scikit-learn's roc_auc_score.
    auroc() -> f64;

    /// Average precision, in (0, 1]; equal to scikit-learn's average_precision_score.
    average_precision() -> f64;

    /// F1-max: the highest F1 over all thresholds, with its threshold, taken from the evaluated set.
    oracle_f1_max() -> OracleF1;

    /// Area under the ROC curve over false-positive rates from 0 to max_fpr.
    partial_auroc(max_fpr: f64) -> PartialAuroc;

    /// The highest sensitivity at which the specificity is still at least the one given.
    oracle_sensitivity_at_specificity(specificity: f64) -> OracleOperatingPoint;

    /// The highest specificity at which the sensitivity is still at least the one given.
    oracle_specificity_at_sensitivity(sensitivity: f64) -> OracleOperatingPoint;
}

/// A ROC curve: one point per distinct score, highest first, after a first point that flags nothing.
#[pyclass(frozen, get_all, module = "ckaad.metrics")]
pub(crate) struct RocCurve {
    /// False-positive rates, rising from 0 to 1.
    fpr: Py<PyArray1<f64>>,
    /// True-positive rates, rising from 0 to 1.
    tpr: Py<PyArray1<f64>>,
    /// Thresholds, falling; the first is infinite.
    thresholds: Py<PyArray1<f64>>,
}

/// A precision-recall curve: one point per distinct score, lowest first, then the point (recall 0, precision 1).
#[pyclass(frozen, get_all, module = "ckaad.metrics")]
pub(crate) struct PrecisionRecallCurve {
    /// Precision at each threshold; one entry more than thresholds.
    precision: Py<PyArray1<f64>>,
    /// Recall at each threshold, falling from 1 to 0; one entry more than thresholds.
    recall: Py<PyArray1<f64>>,
    /// Thresholds, rising.
    thresholds: Py<PyArray1<f64>>,
}

/// The ROC curve, as scikit-learn's roc_curve with drop_intermediate=False.
#[pyfunction]
pub(crate) fn roc_curve(
    py: Python<'_>,
    scores: Scores<'_>,
    labels: Labels<'_>,
) -> PyResult<RocCurve> {
    let labels = labels.slice()?;
    let curve = with_scores!(py, scores, |scores| of::roc_curve(scores, labels));
    let curve = curve.map_err(errors::metric)?;
    Ok(RocCurve {
        fpr: curve.fpr.to_pyarray(py).unbind(),
        tpr: curve.tpr.to_pyarray(py).unbind(),
        thresholds: curve.thresholds.to_pyarray(py).unbind(),
    })
}

/// The precision-recall curve, as scikit-learn's precision_recall_curve.
#[pyfunction]
pub(crate) fn precision_recall_curve(
    py: Python<'_>,
    scores: Scores<'_>,
    labels: Labels<'_>,
) -> PyResult<PrecisionRecallCurve> {
    let labels = labels.slice()?;
    let curve = with_scores!(py, scores, |scores| of::precision_recall_curve(
        scores, labels
    ));
    let curve = curve.map_err(errors::metric)?;
    Ok(PrecisionRecallCurve {
        precision: curve.precision.to_pyarray(py).unbind(),
        recall: curve.recall.to_pyarray(py).unbind(),
        thresholds: curve.thresholds.to_pyarray(py).unbind(),
    })
}

/// AUROC with DeLong's standard error and a normal confidence interval.
#[pyfunction]
#[pyo3(signature = (scores, labels, confidence = 0.95))]
pub(crate) fn auroc_delong(
    py: Python<'_>,
    scores: Scores<'_>,
    labels: Labels<'_>,
    confidence: f64,
) -> PyResult<AurocInterval> {
    let labels = labels.slice()?;
    with_scores!(py, scores, |scores| of::auroc_delong(
        scores, labels, confidence
    ))
    .map(AurocInterval::from)
    .map_err(errors::metric)
}

/// Two scores of the same samples, in one precision.
fn paired<T: Send>(
    py: Python<'_>,
    a: &Scores<'_>,
    b: &Scores<'_>,
    single: impl FnOnce(&[f32], &[f32]) -> Result<T, of::MetricError> + Send,
    double: impl FnOnce(&[f64], &[f64]) -> Result<T, of::MetricError> + Send,
) -> PyResult<T> {
    let wide = |scores: &Scores<'_>| -> PyResult<Vec<f64>> {
        Ok(match scores {
            Scores::Single(array) => array.as_slice()?.iter().map(|&s| f64::from(s)).collect(),
            Scores::Double(array) => array.as_slice()?.to_vec(),
        })
    };
    match (a, b) {
        (Scores::Single(a), Scores::Single(b)) => {
            let (a, b) = (a.as_slice()?, b.as_slice()?);
            py.detach(|| single(a, b))
        }
        (Scores::Double(a), Scores::Double(b)) => {
            let (a, b) = (a.as_slice()?, b.as_slice()?);
            py.detach(|| double(a, b))
        }
        // Single precision is exact in double.
        _ => {
            let (a, b) = (wide(a)?, wide(b)?);
            py.detach(|| double(&a, &b))
        }
    }
    .map_err(errors::metric)
}

/// DeLong's test of whether two scores of the same samples have the same AUROC.
#[pyfunction]
pub(crate) fn delong_test(
    py: Python<'_>,
    scores_a: Scores<'_>,
    scores_b: Scores<'_>,
    labels: Labels<'_>,
) -> PyResult<PairedDelong> {
    let labels = labels.slice()?;
    paired(
        py,
        &scores_a,
        &scores_b,
        |a, b| of::delong_test(a, b, labels),
        |a, b| of::delong_test(a, b, labels),
    )
    .map(PairedDelong::from)
}

/// Whether two AUROCs on the same samples differ, at 5 %.
#[pyfunction]
pub(crate) fn distinguishable(
    py: Python<'_>,
    scores_a: Scores<'_>,
    scores_b: Scores<'_>,
    labels: Labels<'_>,
) -> PyResult<bool> {
    let labels = labels.slice()?;
    paired(
        py,
        &scores_a,
        &scores_b,
        |a, b| of::distinguishable(a, b, labels),
        |a, b| of::distinguishable(a, b, labels),
    )
}

/// Wilson's score interval of a share: its low end and its high end.
#[pyfunction]
#[pyo3(signature = (successes, trials, confidence = 0.95))]
pub(crate) fn wilson_interval(
    successes: u64,
    trials: u64,
    confidence: f64,
) -> PyResult<(f64, f64)> {
    of::wilson_interval(successes, trials, confidence)
        .map(|[low, high]| (low, high))
        .map_err(errors::metric)
}
