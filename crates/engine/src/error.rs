use std::path::{Path, PathBuf};

use ckaad_backbone::BackboneError;
use ckaad_backbone::weights::WeightsError;
use ckaad_data::DataError;
use ckaad_files::FileError;
use ckaad_metrics::MetricError;
use ckaad_parameters::ParameterError;

/// Why a run, an evaluation or a prediction could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A configuration does not parse, or holds an unknown key.
    #[error("configuration{}: {reason}", from(path))]
    Config {
        /// The file, if it is from one.
        path: Option<PathBuf>,
        /// What is wrong.
        reason: String,
    },
    /// A setting has an impossible value.
    #[error("{key} = {value}: {reason}")]
    Setting {
        /// The key in the configuration.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        reason: String,
    },
    /// The output folder is there already.
    #[error(
        "{path} exists already; choose another output folder, or go on with that run by `train --resume {path}`"
    )]
    OutputExists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds no run.
    #[error("{path} is no run folder: it has no {missing}")]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that is not there.
        missing: &'static str,
    },
    /// A checkpoint or model file does not hold what it should.
    #[error("{path} is no usable {kind}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What it should be.
        kind: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing to evaluate or predict on.
    #[error("{reason}")]
    NoImages {
        /// What was looked for, and what to do.
        reason: String,
    },
    /// A loss is no finite number any more.
    #[error(
        "the loss became {value} in epoch {epoch}, step {step}; lower the learning rate, or look for damaged images"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Step of the epoch, from 1.
        step: usize,
        /// The loss.
        value: f64,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file or folder cannot be read or written.
    #[error(transparent)]
    Files(#[from] FileError),
    /// Images, masks or splits.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The backbone.
    #[error(transparent)]
    Backbone(#[from] BackboneError),
    /// The weights file.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A network's parameters.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// A metric is not defined on the data.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

fn from(path: &Option<PathBuf>) -> String {
    path.as_ref()
        .map(|path| format!(" {}", path.display()))
        .unwrap_or_default()
}

impl EngineError {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    pub(crate) fn file(path: &Path, kind: &'static str, reason: impl ToString) -> Self {
        Self::File {
            path: path.to_owned(),
            kind,
            reason: reason.to_string(),
        }
    }

    pub(crate) fn setting(
        key: &'static str,
        value: impl ToString,
        reason: impl Into<String>,
    ) -> Self {
        Self::Setting {
            key,
            value: value.to_string(),
            reason: reason.into(),
        }
    }
}
