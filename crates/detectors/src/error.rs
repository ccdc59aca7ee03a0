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
