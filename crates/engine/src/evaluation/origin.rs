//! Whether a model is of the run that it lies in.

use std::path::Path;

use ckaad_data::Split;

use crate::training::{check_images, check_settings};
use crate::{CheckedConfig, EngineError, Predictor, RunFolder};

/// Refuses a model that is of another run than the folder it lies in.
pub(super) fn check_origin(
    path: &Path,
    model: &Predictor,
    config: &CheckedConfig,
    split: &Split,
    folder: &RunFolder,
) -> Result<(), EngineError> {
    let info = model.info();
    let images = split.fingerprint(&folder.split())?;
    check_settings(&info.config, config)
        .and_then(|()| check_images(&info.images, &images))
        .map_err(|reason| EngineError::file(path, "model of this run", reason))
}
