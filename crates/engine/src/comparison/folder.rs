//! What lies in the folder of a comparison from before.

use std::path::{Path, PathBuf};

use ckaad_files::FolderLock;

use crate::error::OTHER_FOLDER;
use crate::{CheckedConfig, Config, EngineError};

/// The settings that decide what a run learns: where features are kept does not.
pub(super) fn comparable(config: CheckedConfig) -> Config {
    Config {
        feature_cache_mib: 0,
        feature_cache_dir: None,
        ..config.into_inner()
    }
}

/// Refuses a folder with anything in it that is no comparison.
pub(super) fn check_out(out: &Path) -> Result<(), EngineError> {
    let exists = |name: &str| out.join(name).exists();
    let empty = std::fs::read_dir(out).map_or(true, |mut entries| entries.next().is_none());
    let is_run = exists("config.toml");
    if empty || (exists(FolderLock::FILE_NAME) && !is_run) {
        return Ok(());
    }
    Err(EngineError::OutputExists {
        path: out.to_owned(),
        is_run,
    })
}

/// Refuses a run that is not the one to be trained.
pub(super) fn other_run(path: PathBuf) -> EngineError {
    EngineError::ResultsExist {
        path,
        what: "holds a run of other settings or images".to_owned(),
        hint: OTHER_FOLDER,
    }
}
