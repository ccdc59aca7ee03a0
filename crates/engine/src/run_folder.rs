use std::path::{Path, PathBuf};

use crate::EngineError;

/// The files of a run.
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes sure that a run can be started in that folder.
    ///
    /// # Errors
    /// [`EngineError::OutputExists`] if it is there and not empty, [`EngineError::Io`] if it cannot be looked into.
    pub fn check_free(path: &Path) -> Result<(), EngineError> {
        let occupied = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(EngineError::io(path, "look into")(error)),
        };
        if occupied {
            return Err(EngineError::OutputExists {
                path: path.to_owned(),
            });
        }
        Ok(())
    }

    /// A new run's folder, made now.
    ///
    /// # Errors
    /// Those of [`check_free`](Self::check_free), and [`EngineError::Io`] if it cannot be made.
    pub fn create(path: &Path) -> Result<Self, EngineError> {
        Self::check_free(path)?;
        let folder = Self(path.to_owned());
        let checkpoints = path.join("checkpoint");
        std::fs::create_dir_all(&checkpoints)
            .map_err(EngineError::io(&checkpoints, "make the folder"))?;
        Ok(folder)
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
        self.0.join("split.json")
    }

    /// One line per epoch.
    pub fn log(&self) -> PathBuf {
        self.0.join("log.jsonl")
    }

    /// What going on needs.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint/last.safetensors")
    }

    /// The model after the last epoch.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    /// The model after the epoch that was best on validation.
    pub fn best_model(&self) -> PathBuf {
        self.0.join("checkpoint/best-on-validation.safetensors")
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
