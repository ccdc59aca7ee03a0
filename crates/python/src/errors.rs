//! Errors of the libraries as exceptions, with the same text.

use std::error::Error;

use ckaad_detectors::DetectorError;
use ckaad_device::DeviceError;
use ckaad_engine::EngineError;
use ckaad_metrics::MetricError;
use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};

pyo3::create_exception!(
    ckaad,
    CkaadError,
    PyRuntimeError,
    "What could not be done, and what to do: a damaged file, unreadable images, a run that diverged."
);

/// What is wrong with the input of a metric: `ValueError`.
pub(crate) fn metric(error: MetricError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What is wrong with a value that was given here.
pub(crate) fn value(text: impl Into<String>) -> PyErr {
    PyValueError::new_err(text.into())
}

/// `ValueError` for settings that can never be, `OSError` for files that cannot be read or written, [`CkaadError`] for the rest.
pub(crate) fn engine(error: EngineError) -> PyErr {
    let text = with_causes(&error);
    match error {
        EngineError::Config { .. }
        | EngineError::Setting { .. }
        | EngineError::Metric(_)
        | EngineError::NoMaps { .. }
        | EngineError::NotCalibrated
        | EngineError::Detector(DetectorError::Setting { .. }) => PyValueError::new_err(text),
        EngineError::Io { .. } | EngineError::Files(_) => PyOSError::new_err(text),
        _ => CkaadError::new_err(text),
    }
}

/// A device that has no such name, or that is not there: `ValueError`.
pub(crate) fn device(error: DeviceError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// An error and its causes, those that its own text does not name.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
