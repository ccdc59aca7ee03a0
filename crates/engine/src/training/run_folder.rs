use std::ops::Deref;
use std::path::{Path, PathBuf};

use ckaad_files::FolderLock;

use crate::EngineError;

/// The files of a run.
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

/// The folder of a run that this process, and no other one, trains in. The lock ends with it, or with the process.
#[derive(Debug)]
pub struct ActiveRun {
    folder: RunFolder,
    _lock: FolderLock,
}

impl Deref for ActiveRun {
    type Target = RunFolder;

    fn deref(&self) -> &RunFolder {
        &self.folder
    }
}

impl ActiveRun {
    /// A new run's folder, made now. One that a run left before it had a configuration is taken over.
    ///
    /// # Errors
    /// Those of [`RunFolder::check_free`], and [`EngineError::Files`] if it cannot be made or another process trains in it.
    pub(crate) fn create(path: &Path) -> Result<Self, EngineError> {
        RunFolder::check_free(path)?;
        let lock = FolderLock::take(path)?;
        // Another process may have been here between the two.
        RunFolder::check_free(path)?;
        let folder = RunFolder(path.to_owned());
        ckaad_files::make_folder(&path.join(CHECKPOINTS))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The folder of a run that was started earlier, to go on with.
    ///
    /// # Errors
    /// Those of [`RunFolder::open`], and [`EngineError::Files`] if another process trains in it.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let folder = RunFolder::open(path)?;
        Ok(Self {
            folder,
            _lock: FolderLock::take(path)?,
        })
    }
}

const CHECKPOINTS: &str = "checkpoint";
const LOG: &str = "log.jsonl";
const SPLIT: &str = "split.json";

impl RunFolder {
    /// Makes sure that a run can be started in that folder.
    ///
    /// # Errors
    /// [`EngineError::OutputExists`] if it is there and holds anything but what a run writes before its configuration,
    /// [`EngineError::Io`] if it cannot be looked into.
    pub fn check_free(path: &Path) -> Result<(), EngineError> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(EngineError::io(path, "look into")(error)),
        };
        let names = entries
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(EngineError::io(path, "look into"))?;
        let unfinished = [FolderLock::FILE_NAME, CHECKPOINTS, LOG, SPLIT];
        let ours = names.iter().any(|name| name == FolderLock::FILE_NAME)
            && names
                .iter()
                .all(|name| unfinished.iter().any(|ours| name == ours));
        if names.is_empty() || ours {
            return Ok(());
        }
        Err(EngineError::OutputExists {
            path: path.to_owned(),
        })
    }

    /// The folder of a run that was started earlier.
    ///
    /// # Errors
    /// [`EngineError::NotARun`] if it has no `config.toml`.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let folder = Self(path.to_owned());
        if folder.config().is_file() {
            return Ok(folder);
        }
        Err(EngineError::NotARun {
            path: path.to_owned(),
            missing: "config.toml",
        })
    }

    /// A folder that is to hold results of a run, and not the run.
    pub(crate) fn results(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The resolved settings.
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The images chosen.
    pub fn split(&self) -> PathBuf {
        self.0.join(SPLIT)
    }

    /// One line per epoch.
    pub fn log(&self) -> PathBuf {
        self.0.join(LOG)
    }

    /// What going on needs.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join(CHECKPOINTS).join("last.safetensors")
    }

    /// The model after the last epoch.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    /// The model after the epoch that was best on validation.
    pub fn best_model(&self) -> PathBuf {
        self.0
            .join(CHECKPOINTS)
            .join("best-on-validation.safetensors")
    }

    /// The evaluation on the test images.
    pub fn report(&self) -> PathBuf {
        self.0.join("report.json")
    }

    /// The scores of the test images.
    pub fn predictions(&self) -> PathBuf {
        self.0.join("predictions.csv")
    }
}
