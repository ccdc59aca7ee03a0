//! `ckaad.export_onnx`: a model as an ONNX graph.

use std::path::PathBuf;

use ckaad_backbone::Precision;
use ckaad_engine::EngineError;
use ckaad_engine::scoring::model_path;
use ckaad_export::{Input, onnx};
use pyo3::prelude::*;

use crate::errors::{self, CkaadError};

/// Writes a model file, or that of the finished run whose folder is named, as an ONNX graph in single precision.
#[pyfunction]
pub(crate) fn export_onnx(
    py: Python<'_>,
    model: PathBuf,
    file: PathBuf,
    with_preprocessing: bool,
) -> PyResult<()> {
    let input = match with_preprocessing {
        true => Input::Pictures,
        false => Input::Images,
    };
    py.detach(|| {
        let path = model_path(&model).map_err(errors::engine)?;
        let predictor =
            ckaad_engine::Predictor::open(&path, Some(Precision::F32), &ckaad_device::cpu())
                .map_err(errors::engine)?;
        let bytes = onnx(&predictor, input)
            .map_err(|error| CkaadError::new_err(errors::with_causes(&error)))?;
        ckaad_files::write(&file, &bytes).map_err(|error| errors::engine(EngineError::Files(error)))
    })
}
