//! Which run a checkpoint is of.

use ckaad_data::Split;
use serde::{Deserialize, Serialize};

use super::RunFolder;
use crate::{CheckedConfig, EngineError};

/// What decides, bit for bit, what a run learns in so many steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) config: CheckedConfig,
    /// The [fingerprint](Split::fingerprint) of the images.
    pub(crate) images: String,
    /// The fingerprint of the backbone's weights.
    weights: String,
}

impl Origin {
    pub(crate) fn new(
        config: &CheckedConfig,
        split: &Split,
        folder: &RunFolder,
        weights: String,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            config: config.clone(),
            images: split.fingerprint(&folder.split())?,
            weights,
        })
    }

    /// Refuses to go on as another run than this one; the error says what to do.
    pub(crate) fn check(&self, now: &Self) -> Result<(), String> {
        // Before the weights, which settings can decide: those of random features follow from the seed.
        check_settings(&self.config, &now.config)?;
        if self.weights != now.weights {
            return Err(format!(
                "the run started with other backbone weights (SHA-256 of the parameters {}, now {}); put those back, or start a new run",
                self.weights, now.weights
            ));
        }
        check_images(&self.images, &now.images)
    }
}

/// Refuses settings by which something else is learned than by `then`.
pub(crate) fn check_settings(then: &CheckedConfig, now: &CheckedConfig) -> Result<(), String> {
    match then.difference(now).map_err(|error| error.to_string())? {
        None => Ok(()),
        Some(found) => {
            let [then, now] = &found.values;
            let key = &found.key;
            Err(format!(
                "it was made with {key} = {then}, and config.toml says {key} = {now}; put that back, or start a new run"
            ))
        }
    }
}

/// Refuses other images than those with the fingerprint `then`.
pub(crate) fn check_images(then: &str, now: &str) -> Result<(), String> {
    if then == now {
        return Ok(());
    }
    Err("it is of other images than split.json lists: one of the two is of another run; put back the one that belongs here".to_owned())
}
