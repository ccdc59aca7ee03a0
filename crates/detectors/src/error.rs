use ckaad_parameters::ParameterError;

/// Any cause.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a system cannot be built, learn, or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectorError {
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
    /// There are too few images to learn from.
    #[error("{system} learns from at least {least} normal images, there are {found}")]
    Images {
        /// The system.
        system: &'static str,
        /// How many it needs.
        least: usize,
        /// How many it saw.
        found: usize,
    },
    /// There is no anomalous image to learn from.
    #[error("{system} learns nothing without anomalous images")]
    NoAnomalies {
        /// The system.
        system: &'static str,
    },
    /// A saved state cannot be written or does not fit.
    #[error("the state of the training: {part}: {source}")]
    State {
        /// The part of the state.
        part: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// A model's parameters do not fit.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
}

/// A value as messages have it: a number of many digits is as unreadable as it is absurd.
fn shown(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if value.len() > 24 => format!("{number:e}"),
        _ => value.to_owned(),
    }
}

impl DetectorError {
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

    pub(crate) fn state<E: Into<Cause>>(part: &str) -> impl FnOnce(E) -> Self {
        move |source| Self::State {
            part: part.to_owned(),
            source: source.into(),
        }
    }
}

/// Refuses to learn without images of both kinds.
pub(crate) fn both_kinds(
    system: &'static str,
    [normal, anomalous]: [usize; 2],
) -> Result<(), DetectorError> {
    match (normal, anomalous) {
        (0, _) => Err(DetectorError::Images {
            system,
            least: 1,
            found: 0,
        }),
        (_, 0) => Err(DetectorError::NoAnomalies { system }),
        _ => Ok(()),
    }
}

/// Largest value of a setting that is any positive number: its square still is one in single precision.
const LARGEST: f64 = 1e6;
/// Most rounds of a system that trains within its one pass.
pub(crate) const ROUNDS: usize = 1_000_000;

/// Refuses counts, each given with the most that it may be, that are zero or absurd. A configuration may come from a model file of
/// unknown origin, and what it asks for is made before the file's parameters are compared with it.
pub(crate) fn counts(settings: &[(&'static str, usize, usize)]) -> Result<(), DetectorError> {
    let wrong = |(_, value, most): &&(_, usize, usize)| !(1..=*most).contains(value);
    match settings.iter().find(wrong) {
        Some(&(key, value, most)) => {
            let reason = format!("must be at least 1 and at most {most}");
            Err(DetectorError::setting(key, value, reason))
        }
        None => Ok(()),
    }
}

/// Refuses what is no positive number, or an absurdly large one.
pub(crate) fn positive(settings: &[(&'static str, f64)]) -> Result<(), DetectorError> {
    let wrong = |(_, value): &&(_, f64)| !(*value > 0.0 && *value <= LARGEST);
    match settings.iter().find(wrong) {
        Some(&(key, value)) => {
            let reason = format!("must be a positive number of at most {LARGEST}");
            Err(DetectorError::setting(key, value, reason))
        }
        None => Ok(()),
    }
}

/// Refuses a weight that is below zero, no number, or absurdly large.
pub(crate) fn weight(key: &'static str, value: f64) -> Result<(), DetectorError> {
    if (0.0..=LARGEST).contains(&value) {
        return Ok(());
    }
    let reason = format!("must be a number of at least 0 and at most {LARGEST}");
    Err(DetectorError::setting(key, value, reason))
}
