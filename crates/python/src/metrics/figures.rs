//! Figures that are more than a number.

use pyo3::prelude::*;

use crate::arrays::{Labels, Scores, with_scores};
use crate::errors;

/// A class of read-only fields, made from what the library returns.
macro_rules! figures {
    ($(#[$doc:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[pyclass(frozen, get_all, eq, module = "ckaad.metrics")]
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(crate) struct $name {
            $($(#[$of_field])* pub(crate) $field: $type,)*
        }

        impl From<ckaad_metrics::$name> for $name {
            fn from(found: ckaad_metrics::$name) -> Self {
                Self { $($field: found.$field.into(),)* }
            }
        }

        #[pymethods]
        impl $name {
            fn __repr__(&self) -> String {
                let fields = [$(format!("{}={:?}", stringify!($field), self.$field)),*];
                format!("{}({})", stringify!($name), fields.join(", "))
            }
        }
    };
}
pub(crate) use figures;

figures! {
    /// The best F1 that any threshold reaches on the evaluated set itself, and that threshold.
    OracleF1 {
        /// The highest F1, in (0, 1].
        f1: f64,
        /// The threshold, a score of the set; of equally good ones the lowest.
        threshold: f64,
        /// Decisions at that threshold.
        confusion: Confusion,
    }
}

figures! {
    /// A part of the area under the ROC curve, in three scales.
    PartialAuroc {
        /// The area itself, in [0, max_fpr].
        area: f64,
        /// The area divided by max_fpr.
        normalised: f64,
        /// McClish's scale, as scikit-learn's roc_auc_score(..., max_fpr=...).
        standardised: f64,
    }
}

figures! {
    /// A point of the ROC curve. Its threshold was taken from the set it is measured on.
    OracleOperatingPoint {
        /// Share of anomalous samples found.
        sensitivity: f64,
        /// Share of normal samples left alone.
        specificity: f64,
        /// A score of the set; infinite if only flagging nothing will do.
        threshold: f64,
    }
}

figures! {
    /// An AUROC with its standard error and a confidence interval.
    AurocInterval {
        /// The AUROC.
        auroc: f64,
        /// Its standard error.
        standard_error: f64,
        /// Lower end of the interval, not below 0.
        low: f64,
        /// Upper end of the interval, not above 1.
        high: f64,
    }
}

figures! {
    /// Two AUROCs on the same samples, compared.
    PairedDelong {
        /// AUROC of the first scores.
        auroc_a: f64,
        /// AUROC of the second scores.
        auroc_b: f64,
        /// Standard error of the difference.
        standard_error: f64,
        /// The difference in standard errors.
        z: f64,
        /// Two-sided probability of a difference this large if the two were equal.
        p_value: f64,
    }
}

figures! {
    /// A figure from binned scores.
    Binned {
        /// The figure, as if all scores of a bin were equal.
        value: f64,
        /// The exact figure differs from value by at most this.
        error_bound: f64,
    }
}

figures! {
    /// The pixel metrics of one set, from binned scores.
    BinnedFigures {
        /// Pixel AUROC.
        auroc: Binned,
        /// Pixel average precision.
        average_precision: Binned,
        /// Pixel F1-max; never above the exact one.
        oracle_f1_max: Binned,
        /// AUPRO up to the limit that was asked for.
        aupro: Binned,
        /// Number of bins.
        bins: usize,
    }
}

figures! {
    /// The exact pixel metrics of one set.
    PixelFigures {
        /// Pixel AUROC.
        auroc: f64,
        /// Pixel average precision.
        average_precision: f64,
        /// Pixel F1-max.
        oracle_f1: OracleF1,
        /// AUPRO up to the limit that was asked for.
        aupro: f64,
    }
}

/// Counts of right and wrong decisions at one threshold; predicted anomalous means score >= threshold.
#[pyclass(frozen, eq, module = "ckaad.metrics")]
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Confusion(ckaad_metrics::Confusion);

impl std::fmt::Debug for Confusion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ckaad_metrics::Confusion {
            tp, fp, tn, fn_, ..
        } = self.0;
        write!(f, "Confusion(tp={tp}, fp={fp}, tn={tn}, fn={fn_})")
    }
}

impl From<ckaad_metrics::Confusion> for Confusion {
    fn from(found: ckaad_metrics::Confusion) -> Self {
        Self(found)
    }
}

#[pymethods]
impl Confusion {
    /// Decisions at a threshold that was chosen elsewhere, for example by ThresholdRule.fit on a validation set.
    #[staticmethod]
    fn at_threshold(
        py: Python<'_>,
        scores: Scores<'_>,
        labels: Labels<'_>,
        threshold: f64,
    ) -> PyResult<Self> {
        let labels = labels.slice()?;
        with_scores!(py, scores, |scores| ckaad_metrics::Confusion::at_threshold(
            scores, labels, threshold
        ))
        .map(Self)
        .map_err(errors::metric)
    }

    /// Anomalous and predicted so.
    #[getter]
    fn tp(&self) -> u64 {
        self.0.tp
    }

    /// Normal but predicted anomalous.
    #[getter]
    fn fp(&self) -> u64 {
        self.0.fp
    }

    /// Normal and predicted so.
    #[getter]
    fn tn(&self) -> u64 {
        self.0.tn
    }

    /// Anomalous but predicted normal.
    #[getter]
    fn fn_(&self) -> u64 {
        self.0.fn_
    }

    /// Number of decisions.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count()
    }

    /// (tp + tn) / count.
    #[getter]
    fn accuracy(&self) -> f64 {
        self.0.accuracy()
    }

    /// tp / (tp + fn); ValueError without anomalous samples.
    #[getter]
    fn sensitivity(&self) -> PyResult<f64> {
        self.0.sensitivity().map_err(errors::metric)
    }

    /// tn / (tn + fp); ValueError without normal samples.
    #[getter]
    fn specificity(&self) -> PyResult<f64> {
        self.0.specificity().map_err(errors::metric)
    }

    /// 2 tp / (2 tp + fp + fn); ValueError without anomalous samples.
    #[getter]
    fn f1(&self) -> PyResult<f64> {
        self.0.f1().map_err(errors::metric)
    }

    fn __repr__(&self) -> String {
        format!("{self:?}")
    }
}
