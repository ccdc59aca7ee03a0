use std::path::{Path, PathBuf};

use ckaad_backbone::BackboneError;
use ckaad_backbone::weights::WeightsError;
use ckaad_data::DataError;
use ckaad_detectors::DetectorError;
use ckaad_files::FileError;
use ckaad_metrics::MetricError;
use ckaad_parameters::{ParameterError, SealError};

use crate::config::in_words;

/// Any cause.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a run, an evaluation or a prediction could not be done. Where there is something to do, the message ends with it, after a semicolon:
/// [`hint`](Self::hint).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A configuration does not parse, or holds an unknown key.
    #[error("configuration{}: {}", from(path), source)]
    Config {
        /// The file, if it is from one.
        path: Option<PathBuf>,
        /// What is wrong.
        source: Cause,
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
    #[error("{path} exists already; {}", elsewhere(path, *is_run))]
    OutputExists {
        /// The folder.
        path: PathBuf,
        /// Whether it holds a run.
        is_run: bool,
    },
    /// The folder holds no run.
    #[error("{path} is no run folder: it has no {missing}; {NAME_RUN}")]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that is not there.
        missing: &'static str,
    },
    /// The run has no model yet.
    #[error(
        "{path} has no model.safetensors yet, since its training did not finish; {}",
        finish(path)
    )]
    Unfinished {
        /// The run's folder.
        path: PathBuf,
    },
    /// A checkpoint, a model file or a result does not hold what it should.
    #[error("{path} is no usable {kind}: {source}{}", made_again(kind).map_or(String::new(), |hint| format!("; {hint}")))]
    File {
        /// The file.
        path: PathBuf,
        /// What it should be.
        kind: &'static str,
        /// What is wrong with it.
        source: Cause,
    },
    /// There is nothing to evaluate or predict on.
    #[error("{reason}; {hint}")]
    NoImages {
        /// What was looked for.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A loss, a gradient or a parameter is no finite number any more.
    #[error(
        "{what} became {value} in epoch {epoch}, step {step}{images}; {checkpoint}; {LOWER_RATE}"
    )]
    Diverged {
        /// The loss, gradient or parameter.
        what: String,
        /// Its value.
        value: f64,
        /// Epoch, from 1.
        epoch: usize,
        /// Step of the epoch, from 1.
        step: usize,
        /// The images of that step.
        images: String,
        /// Where the run stands by its last checkpoint.
        checkpoint: String,
    },
    /// Somebody asked to stop before there was anything to lose.
    #[error("stopped before the work began; nothing was written")]
    StoppedEarly,
    /// An image has no finite score.
    #[error(
        "its score, or its map, is no finite number: the model is damaged, or the image is out of the ordinary"
    )]
    NoScore,
    /// A promise was asked for that no held-out images can give.
    #[error(
        "the model promises no false-alarm rate, since training held no normal images out for it; {HOLD_OUT}"
    )]
    NotCalibrated,
    /// Maps were asked for that the detector does not make.
    #[error("{detector} scores images and makes no maps")]
    NoMaps {
        /// The detector.
        detector: &'static str,
    },
    /// An output would take the place of an input.
    #[error("{path} is to be scored, and would be overwritten by a result; {OTHER_FOLDER}")]
    Overwrites {
        /// The file.
        path: PathBuf,
    },
    /// Results would lie among other ones.
    #[error("{path} {what}; {hint}")]
    ResultsExist {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        what: String,
        /// What to do.
        hint: &'static str,
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
    /// A file cannot be written whole, or a folder is in use.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The detector.
    #[error(transparent)]
    Detector(#[from] DetectorError),
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

/// [Kinds](EngineError::File) of files that are made from others.
pub(crate) const REPORT: &str = "report";
pub(crate) const SCORES: &str = "table of scores";
pub(crate) const COMPARISON: &str = "comparison";

/// Where results would lie among other files.
pub(crate) const OTHER_FOLDER: &str = "choose another output folder";
const LOWER_RATE: &str = "lower the learning rate, or look for damaged images";
const HOLD_OUT: &str = "train with --set calibration=0.25, or give --threshold";

const NAME_RUN: &str = "name the folder that `ckaad train --out` made";

fn finish(path: &Path) -> String {
    format!("finish it by `ckaad train --resume {}`", path.display())
}

fn elsewhere(path: &Path, is_run: bool) -> String {
    match is_run {
        true => format!(
            "{OTHER_FOLDER}, or go on with that run by `ckaad train --resume {}`",
            path.display()
        ),
        false => OTHER_FOLDER.to_owned(),
    }
}

/// How a result that is damaged is made again.
fn made_again(kind: &str) -> Option<&'static str> {
    match kind {
        REPORT | SCORES => Some("evaluate the run again"),
        COMPARISON => Some("compare again into the same folder: what is trained there is kept"),
        _ => None,
    }
}

fn from(path: &Option<PathBuf>) -> String {
    path.as_ref()
        .map(|path| format!(" {}", path.display()))
        .unwrap_or_default()
}

impl EngineError {
    /// What to do, where there is something to do. The message ends with it, after `; `.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OutputExists { path, is_run } => Some(elsewhere(path, *is_run)),
            Self::NotARun { .. } => Some(NAME_RUN.to_owned()),
            Self::Unfinished { path } => Some(finish(path)),
            Self::NoImages { hint, .. } => Some(hint.clone()),
            Self::ResultsExist { hint, .. } => Some((*hint).to_owned()),
            Self::Diverged { .. } => Some(LOWER_RATE.to_owned()),
            Self::NotCalibrated => Some(HOLD_OUT.to_owned()),
            Self::Overwrites { .. } => Some(OTHER_FOLDER.to_owned()),
            Self::File { kind, source, .. } => {
                let sealed = source.downcast_ref::<SealError>();
                let hint = sealed.and_then(SealError::hint).or(made_again(kind));
                hint.map(str::to_owned)
            }
            Self::Backbone(error) => error.hint().map(str::to_owned),
            Self::Data(error) => error.hint(),
            Self::Weights(error) => Some(error.hint()),
            _ => None,
        }
    }

    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    pub(crate) fn file(path: &Path, kind: &'static str, source: impl Into<Cause>) -> Self {
        Self::File {
            path: path.to_owned(),
            kind,
            source: source.into(),
        }
    }

    /// A sealed file is refused. What cannot be read at all is named by its own error.
    pub(crate) fn sealed(path: &Path, kind: &'static str, error: SealError) -> Self {
        match error {
            SealError::File(error) => Self::Files(error),
            error => Self::file(path, kind, error),
        }
    }

    pub(crate) fn config(path: Option<&Path>, source: impl Into<Cause>) -> Self {
        let source = source.into();
        let text = source.to_string();
        let told = in_words(&text);
        Self::Config {
            path: path.map(Path::to_owned),
            source: if told == text { source } else { told.into() },
        }
    }

    pub(crate) fn setting(
        key: &'static str,
        value: impl ToString,
        reason: impl Into<String>,
    ) -> Self {
        Self::Setting {
            key,
            value: shown(&value.to_string()),
            reason: reason.into(),
        }
    }
}

/// A value as messages have it: a number of many digits is as unreadable as it is absurd.
fn shown(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if value.len() > 24 => format!("{number:e}"),
        _ => value.to_owned(),
    }
}
