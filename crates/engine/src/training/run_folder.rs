use std::ffi::OsString;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use ckaad_detectors::State;
use ckaad_files::{FolderLock, Untouched, file_of_part};

use super::{checkpoint, old_parts};
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
        folder.remove_parts();
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
        let lock = FolderLock::take(path)?;
        folder.remove_parts();
        Ok(Self {
            folder,
            _lock: lock,
        })
    }
}

const CONFIG: &str = "config.toml";
const CHECKPOINTS: &str = "checkpoint";
const LAST: &str = "last.safetensors";
const BEST: &str = "best-on-validation.safetensors";
const MODEL: &str = "model.safetensors";
const LOG: &str = "log.jsonl";
const SPLIT: &str = "split.json";

/// Whether training writes a file of that name.
fn is_of_run(name: &str) -> bool {
    [CONFIG, LAST, BEST, MODEL, LOG, SPLIT].contains(&name)
}

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
        let unfinished = |name: &OsString| {
            [FolderLock::FILE_NAME, CHECKPOINTS, LOG, SPLIT]
                .iter()
                .any(|ours| name == ours)
                || name.to_str().and_then(file_of_part).is_some_and(is_of_run)
        };
        let ours =
            names.iter().any(|name| name == FolderLock::FILE_NAME) && names.iter().all(unfinished);
        if names.is_empty() || ours {
            return Ok(());
        }
        Err(EngineError::OutputExists {
            path: path.to_owned(),
            is_run: names.iter().any(|name| name == CONFIG),
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
            missing: CONFIG,
        })
    }

    /// Removes what a killed training left of unfinished files, once the folder is locked.
    fn remove_parts(&self) {
        for folder in [&self.0, &self.0.join(CHECKPOINTS)] {
            ckaad_files::remove_parts(folder, is_of_run, Untouched::Locked);
            old_parts::remove(folder);
        }
    }

    /// Makes sure that the folder still is that of a run, before something is written that would make it anew.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn check_there(&self) -> Result<(), EngineError> {
        Self::open(&self.0).map(drop)
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
        self.0.join(CONFIG)
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
        self.0.join(CHECKPOINTS).join(LAST)
    }

    /// What the detector's training has come to by the last checkpoint, with networks that the model does without; `None` if there is no
    /// checkpoint.
    ///
    /// # Errors
    /// [`EngineError::File`] if the checkpoint is none, or damaged.
    pub fn state(&self) -> Result<Option<State>, EngineError> {
        let path = self.checkpoint();
        path.is_file().then(|| checkpoint::state(&path)).transpose()
    }

    /// The model after the last epoch.
    pub fn model(&self) -> PathBuf {
        self.0.join(MODEL)
    }

    /// The model after the epoch that was best on validation.
    pub fn best_model(&self) -> PathBuf {
        self.0.join(CHECKPOINTS).join(BEST)
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
