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

impl DetectorError {
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

/// Refuses zero.
pub(crate) fn at_least_one(key: &'static str, value: usize) -> Result<(), DetectorError> {
    match value {
        0 => Err(DetectorError::setting(key, value, "must be at least 1")),
        _ => Ok(()),
    }
}

/// Refuses what is no positive finite number.
pub(crate) fn positive(settings: &[(&'static str, f64)]) -> Result<(), DetectorError> {
    match settings
        .iter()
        .find(|(_, value)| !(*value > 0.0 && value.is_finite()))
    {
        Some(&(key, value)) => Err(DetectorError::setting(
            key,
            value,
            "must be a positive number",
        )),
        None => Ok(()),
    }
}
