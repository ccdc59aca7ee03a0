//! Seeded bootstrap intervals of any figure.

use std::sync::Mutex;

use ckaad_metrics as of;
use ckaad_metrics::{MetricError, Score};
use numpy::{Element, ToPyArray};
use pyo3::prelude::*;

use super::figures::figures;
use crate::arrays::{Labels, Scores};
use crate::errors;

figures! {
    /// A figure with a percentile interval.
    Interval {
        /// The figure of the set itself.
        estimate: f64,
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    }
}

/// How to resample. The result depends on these three alone, not on the number of threads.
#[pyclass(frozen, get_all, module = "ckaad.metrics")]
pub(crate) struct Bootstrap {
    /// Number of resamples, at least 2.
    resamples: u32,
    /// Share of resamples that the interval covers, in (0, 1).
    confidence: f64,
    /// Seed of what is drawn.
    seed: u64,
}

/// A figure of scores and labels.
enum Metric {
    Auroc,
    AveragePrecision,
    OracleF1Max,
    Function(Py<PyAny>),
}

impl Metric {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if object.is_callable() {
            // The package's own need no interpreter.
            let native = object.getattr("__module__").is_ok_and(|module| {
                module
                    .extract::<String>()
                    .is_ok_and(|name| name.starts_with("ckaad"))
            });
            let name = object
                .getattr("__name__")
                .and_then(|name| name.extract::<String>());
            return Ok(match name.as_deref() {
                Ok("auroc") if native => Self::Auroc,
                Ok("average_precision") if native => Self::AveragePrecision,
                _ => Self::Function(object.clone().unbind()),
            });
        }
        match object.extract::<String>().as_deref() {
            Ok("auroc") => Ok(Self::Auroc),
            Ok("average_precision") => Ok(Self::AveragePrecision),
            Ok("oracle_f1_max") => Ok(Self::OracleF1Max),
            _ => Err(errors::value(
                "metric must be \"auroc\", \"average_precision\", \"oracle_f1_max\" or a function of scores and labels",
            )),
        }
    }

    /// `failed` takes what a function raised first.
    fn figure<S: Score + Element>(
        &self,
        scores: &[S],
        labels: &[bool],
        failed: &Mutex<Option<PyErr>>,
    ) -> Result<f64, MetricError> {
        match self {
            Self::Auroc => of::auroc(scores, labels),
            Self::AveragePrecision => of::average_precision(scores, labels),
            Self::OracleF1Max => of::oracle_f1_max(scores, labels).map(|best| best.f1),
            Self::Function(function) => called(failed, |py| {
                let arguments = (scores.to_pyarray(py), labels.to_pyarray(py));
                function.bind(py).call1(arguments)?.extract()
            }),
        }
    }
}

/// What a Python function returns. Where it raises, any error ends the resampling, and the exception takes its place.
fn called(
    failed: &Mutex<Option<PyErr>>,
    call: impl FnOnce(Python<'_>) -> PyResult<f64>,
) -> Result<f64, MetricError> {
    Python::attach(call).map_err(|error| {
        if let Ok(mut first) = failed.lock() {
            first.get_or_insert(error);
        }
        MetricError::Empty
    })
}

/// The exception of a function, or the error of the library.
fn outcome(
    found: Result<of::Interval, MetricError>,
    failed: Mutex<Option<PyErr>>,
) -> PyResult<Interval> {
    match failed.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => found.map(Interval::from).map_err(errors::metric),
    }
}

#[pymethods]
impl Bootstrap {
    #[new]
    #[pyo3(signature = (resamples = 1000, confidence = 0.95, seed = 0))]
    fn new(resamples: u32, confidence: f64, seed: u64) -> Self {
        Self {
            resamples,
            confidence,
            seed,
        }
    }

    /// Percentile interval of an image-level metric: "auroc", "average_precision", "oracle_f1_max", or a function of scores and labels.
    /// Normal and anomalous samples are resampled separately.
    fn interval(
        &self,
        py: Python<'_>,
        scores: Scores<'_>,
        labels: Labels<'_>,
        metric: &Bound<'_, PyAny>,
    ) -> PyResult<Interval> {
        let metric = Metric::of(metric)?;
        let labels = labels.slice()?;
        let failed = Mutex::new(None);
        let found = crate::arrays::with_scores!(py, scores, |scores| self.options().interval(
            scores,
            labels,
            |scores, labels| metric.figure(scores, labels, &failed)
        ));
        outcome(found, failed)
    }

    /// Percentile interval of any figure of a set of units (for pixel metrics: images). The function is given the indices
    /// drawn, with repetition, and for the estimate all indices once.
    fn interval_over(
        &self,
        py: Python<'_>,
        units: usize,
        statistic: Py<PyAny>,
    ) -> PyResult<Interval> {
        let failed = Mutex::new(None);
        let found = py.detach(|| {
            self.options().interval_over(units, |drawn| {
                called(&failed, |py| {
                    statistic.bind(py).call1((drawn.to_pyarray(py),))?.extract()
                })
            })
        });
        outcome(found, failed)
    }

    fn __repr__(&self) -> String {
        let Self {
            resamples,
            confidence,
            seed,
        } = self;
        format!("Bootstrap(resamples={resamples}, confidence={confidence:?}, seed={seed})")
    }
}

impl Bootstrap {
    fn options(&self) -> of::Bootstrap {
        of::Bootstrap {
            resamples: self.resamples,
            confidence: self.confidence,
            seed: self.seed,
        }
    }
}
