//! The native half of the Python package `ckaad`: metrics, scoring and training for NumPy.
//!
//! What a user imports is `python/ckaad`, which documents and re-exports what is here. Arrays are borrowed where they lie as the
//! libraries want them (`arrays`), the interpreter is released while something computes, and errors carry the libraries' texts
//! (`errors`).

mod arrays;
mod errors;
mod export;
mod log;
mod metrics;
mod predictor;
mod running;
mod training;

use pyo3::prelude::*;

/// `ckaad._ckaad`.
#[pymodule]
mod _ckaad {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::errors::CkaadError;
    #[pymodule_export]
    use super::export::export_onnx;
    #[pymodule_export]
    use super::metrics::{
        AurocInterval, Binned, BinnedFigures, BinnedPixelAccumulator, Bootstrap, Calibration,
        Confusion, Interval, OracleF1, OracleOperatingPoint, PairedDelong, PartialAuroc,
        PixelAccumulator, PixelFigures, PixelRanking, PrecisionRecallCurve, PromisedThreshold,
        RocCurve, ThresholdRule, aupro, aupro_binned, auroc, auroc_delong, average_precision,
        delong_test, distinguishable, oracle_f1_max, oracle_sensitivity_at_specificity,
        oracle_specificity_at_sensitivity, partial_auroc, pixel_auroc, pixel_average_precision,
        pixel_oracle_f1_max, precision_recall_curve, pro_of_map, pro_per_image, roc_curve,
        wilson_interval,
    };
    #[pymodule_export]
    use super::predictor::{Predictions, Predictor};
    #[pymodule_export]
    use super::training::{compare, devices, evaluate, resume, train};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::log::init();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
