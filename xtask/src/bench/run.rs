//! Doing a run: the processes that make what its folder lacks.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::folder::{Folder, State};
use super::grid::Run;
use super::library::Place;

/// How runs are done.
pub(crate) struct Workshop {
    pub(crate) out: PathBuf,
    pub(crate) binary: PathBuf,
    pub(crate) device: String,
    pub(crate) threads: Option<usize>,
    pub(crate) keep_models: bool,
}

/// The outcome of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is finished now.
    Finished,
    /// It failed, for this reason.
    Failed(String),
    /// Another process works on it.
    Busy,
}

/// Whether to wait for another process that works on the run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    Wait,
    Skip,
}

impl Workshop {
    /// Does what is missing of a run.
    pub(crate) fn attempt(&self, run: &Run, place: &Place, patience: Patience) -> Attempt {
        let folder = Folder::of(&self.out, run);
        match self.locked(&folder, run, place, patience) {
            Ok(attempt) => attempt,
            Err(error) => {
                let reason = format!("{error:#}");
                // Only what a later look at the folder shows depends on this file.
                let _ = ckaad_files::write(&folder.failure(), reason.as_bytes());
                Attempt::Failed(reason)
            }
        }
    }

    fn locked(
        &self,
        folder: &Folder,
        run: &Run,
        place: &Place,
        patience: Patience,
    ) -> anyhow::Result<Attempt> {
        std::fs::create_dir_all(folder.path())
            .with_context(|| format!("cannot make {}", folder.path().display()))?;
        let path = folder.lock();
        let failed = || format!("cannot lock {}", path.display());
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(failed)?;
        match (patience, lock.try_lock()) {
            (_, Ok(())) => {}
            (Patience::Skip, Err(TryLockError::WouldBlock)) => return Ok(Attempt::Busy),
            (Patience::Wait, Err(TryLockError::WouldBlock)) => lock.lock().with_context(failed)?,
            (_, Err(TryLockError::Error(error))) => return Err(error).with_context(failed),
        }
        if !matches!(folder.state(run), State::Finished(_)) {
            remove(&folder.failure())?;
            self.train_and_evaluate(folder, run, place, &lock)?;
        }
        self.tidy(folder)?;
        Ok(Attempt::Finished)
    }

    fn train_and_evaluate(
        &self,
        folder: &Folder,
        run: &Run,
        place: &Place,
        lock: &File,
    ) -> anyhow::Result<()> {
        let request = run.config(place)?;
        ckaad_files::write(&folder.request(), request.to_string().as_bytes())?;
        let began = folder.began(&request);
        let trained = began && folder.run().join("model.safetensors").is_file();
        if !trained {
            let resumed = began && {
                let run = folder.run();
                let result =
                    self.start(folder, lock, &["train".as_ref(), "--resume".as_ref(), &run]);
                if let Err(error) = &result {
                    eprintln!(
                        "{}: starting over, going on failed: {error:#}",
                        run.display()
                    );
                }
                result.is_ok()
            };
            if !resumed {
                remove(&folder.run())?;
                let (config, out) = (folder.request(), folder.run());
                let arguments = [
                    "train".as_ref(),
                    "--config".as_ref(),
                    &*config,
                    "--out".as_ref(),
                    &out,
                ];
                self.start(folder, lock, &arguments)?;
            }
        }
        let path = folder.run();
        let mut arguments: Vec<&Path> = vec!["evaluate".as_ref(), &path, "--no-html".as_ref()];
        arguments.extend(run.controls.then_some(Path::new("--controls")));
        self.start(folder, lock, &arguments)?;
        match folder.state(run) {
            State::Finished(_) => Ok(()),
            _ => bail!(
                "{} holds no report of the settings asked for; is {} of this version?",
                folder.run().display(),
                self.binary.display()
            ),
        }
    }

    /// Starts `ckaad`. The lock is its standard input, which it never reads: should this program be killed, the lock holds for as
    /// long as the orphan works.
    fn start(&self, folder: &Folder, lock: &File, arguments: &[&Path]) -> anyhow::Result<()> {
        let path = folder.output();
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = Command::new(&self.binary);
        command.args(arguments).args(["--device", &self.device]);
        if let Some(threads) = self.threads {
            command.args(["--threads", &threads.to_string()]);
        }
        let status = command
            .stdin(Stdio::from(lock.try_clone()?))
            .stdout(Stdio::from(output.try_clone()?))
            .stderr(Stdio::from(output))
            .status()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        if status.success() {
            return Ok(());
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let last = text.lines().rfind(|line| !line.trim().is_empty());
        bail!(
            "{} ({status}; all of it in {})",
            last.unwrap_or("no message").trim(),
            path.display()
        )
    }

    /// Removes what only going on, or later predictions, would need.
    fn tidy(&self, folder: &Folder) -> anyhow::Result<()> {
        let run = folder.run();
        remove(&run.join("checkpoint/last.safetensors"))?;
        if !self.keep_models {
            remove(&run.join("checkpoint"))?;
            remove(&run.join("model.safetensors"))?;
        }
        Ok(())
    }
}

/// Removes a file or folder, if it is there.
fn remove(path: &Path) -> anyhow::Result<()> {
    let result = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
