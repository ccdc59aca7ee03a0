//! Choosing thresholds, and what held-out normal images promise.

use ckaad_metrics as of;
use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods, ToPyArray};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use super::figures::figures;
use crate::arrays::{Labels, Scores, with_scores};
use crate::errors;

/// How to choose a threshold on one set, to be applied to another; predicted anomalous means score >= threshold.
#[pyclass(frozen, eq, module = "ckaad.metrics")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ThresholdRule(of::ThresholdRule);

#[pymethods]
impl ThresholdRule {
    /// The score with the highest F1; of equals the lowest.
    #[staticmethod]
    fn max_f1() -> Self {
        Self(of::ThresholdRule::MaxF1)
    }

    /// The score with the highest sensitivity + specificity - 1; of equals the lowest.
    #[staticmethod]
    fn youden() -> Self {
        Self(of::ThresholdRule::Youden)
    }

    /// The lowest threshold at which at most this share of the normal samples is flagged, in [0, 1).
    #[staticmethod]
    fn target_fpr(share: f64) -> Self {
        Self(of::ThresholdRule::TargetFpr(share))
    }

    /// The highest threshold at which at least this share of the anomalous samples is found, in (0, 1].
    #[staticmethod]
    fn target_sensitivity(share: f64) -> Self {
        Self(of::ThresholdRule::TargetSensitivity(share))
    }

    /// Chooses a threshold, in units of the scores.
    fn fit(&self, py: Python<'_>, scores: Scores<'_>, labels: Labels<'_>) -> PyResult<f64> {
        let labels = labels.slice()?;
        with_scores!(py, scores, |scores| self.0.fit(scores, labels)).map_err(errors::metric)
    }

    fn __repr__(&self) -> String {
        match self.0 {
            of::ThresholdRule::MaxF1 => "ThresholdRule.max_f1()".to_owned(),
            of::ThresholdRule::Youden => "ThresholdRule.youden()".to_owned(),
            of::ThresholdRule::TargetFpr(share) => format!("ThresholdRule.target_fpr({share:?})"),
            of::ThresholdRule::TargetSensitivity(share) => {
                format!("ThresholdRule.target_sensitivity({share:?})")
            }
        }
    }
}

figures! {
    /// A threshold and what it promises.
    PromisedThreshold {
        /// Images with this score or a higher one are anomalous.
        value: f64,
        /// The largest probability that a new normal image is flagged, in (0, 1].
        rate: f64,
    }
}

/// The scores of normal images that a detector did not learn from (split conformal calibration).
#[pyclass(frozen, eq, module = "ckaad.metrics")]
#[derive(PartialEq)]
pub(crate) struct Calibration(of::Calibration);

#[pymethods]
impl Calibration {
    #[new]
    fn new(scores: Scores<'_>) -> PyResult<Self> {
        let scores = match &scores {
            Scores::Single(array) => array.as_slice()?.iter().map(|&s| f64::from(s)).collect(),
            Scores::Double(array) => array.as_slice()?.to_vec(),
        };
        let calibration = of::Calibration::new(&scores).map_err(errors::metric)?;
        Ok(Self(calibration))
    }

    /// The scores, ascending.
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.scores().to_pyarray(py)
    }

    /// The probability of a score at least as high if the image is normal; of an array, one each.
    fn p_value<'py>(&self, score: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = score.py();
        if let Ok(score) = score.extract::<f64>() {
            return self.0.p_value(score).into_bound_py_any(py);
        }
        let scores = py
            .import("numpy")?
            .call_method1("asarray", (score, "float64"))?;
        let scores = scores.cast_into::<PyArrayDyn<f64>>()?.try_readonly()?;
        let found = scores.as_array().mapv(|score| self.0.p_value(score));
        let shape = scores.shape().to_vec();
        found.to_pyarray(py).reshape(shape)?.into_bound_py_any(py)
    }

    /// The lowest threshold that flags a new normal image with a probability of at most alpha, or of the least that so many
    /// scores can promise.
    fn threshold(&self, alpha: f64) -> PyResult<PromisedThreshold> {
        self.0
            .threshold(alpha)
            .map(PromisedThreshold::from)
            .map_err(errors::metric)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("Calibration of {} scores", self.0.len())
    }
}
