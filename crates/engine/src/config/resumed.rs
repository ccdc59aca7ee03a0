//! The settings of a run that is gone on with.

use std::path::PathBuf;

use serde::Deserialize;
use toml::{Table, Value};

use super::{CheckedConfig, Config};
use crate::{EngineError, RunFolder};

/// What may change in a run that is gone on with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    epochs: Option<usize>,
    feature_cache_mib: Option<usize>,
    feature_cache_dir: Option<PathBuf>,
}

impl Config {
    /// The settings that [`resumed`](Self::resumed) lets change.
    pub const CHANGEABLE: [&str; 3] = ["epochs", "feature_cache_mib", "feature_cache_dir"];

    /// The settings of a run that is gone on with: its own, but it may be given more `epochs`, and features may be kept elsewhere
    /// (`feature_cache_mib`, `feature_cache_dir`).
    ///
    /// # Errors
    /// [`EngineError::Config`] for any other change, and those of [`read`](Self::read) and [`check`](Self::check).
    pub fn resumed(folder: &RunFolder, changes: Table) -> Result<CheckedConfig, EngineError> {
        let mut config = Self::read(&folder.config())?.into_inner();
        let changes: Changes = Value::Table(changes).try_into().map_err(|error| {
            let but_for = Self::CHANGEABLE.join(", ");
            let only = format!("a run goes on with its own settings, but for {but_for}: {error}");
            EngineError::config(None, only)
        })?;
        config.epochs = changes.epochs.unwrap_or(config.epochs);
        config.feature_cache_mib = changes
            .feature_cache_mib
            .unwrap_or(config.feature_cache_mib);
        if let Some(folder) = changes.feature_cache_dir {
            let absolute =
                std::path::absolute(&folder).map_err(EngineError::io(&folder, "find"))?;
            config.feature_cache_dir = Some(absolute);
        }
        config.check()
    }
}
