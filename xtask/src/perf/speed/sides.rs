//! The programs of both sides, and how they are started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::computing::Computing;
use super::machine;

/// What either side is run with.
pub(super) struct Sides<'a> {
    pub(super) computing: &'a Computing,
    pub(super) ours: Programs,
    pub(super) theirs: Option<Python>,
    pub(super) threads: usize,
    /// Under SCHED_FIFO.
    pub(super) realtime: bool,
}

/// Our programs.
pub(super) struct Programs {
    pub(super) ckaad: PathBuf,
    pub(super) networks: PathBuf,
    pub(super) epoch: PathBuf,
}

/// A Python with everything that PyTorch's side needs.
pub(super) struct Python {
    program: OsString,
    pub(super) versions: String,
}

impl Sides<'_> {
    /// A program that computes on as many threads as were asked for.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        let mut command = if self.realtime {
            let mut command = Command::new("chrt");
            command.args(["-f", "1"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let threads = self.threads.to_string();
        command
            .env("RAYON_NUM_THREADS", &threads)
            .env("OMP_NUM_THREADS", &threads)
            .env_remove("CKAAD_DEVICE");
        command
    }

    /// A script of PyTorch's side.
    pub(super) fn script(&self, python: &Python, name: &str) -> Command {
        let script = machine::folder().join("perf").join(name);
        let mut command = self.command(&python.program);
        command.arg(script);
        command
    }
}

impl Programs {
    /// Those that lie in a folder as cargo leaves it: built elsewhere.
    pub(super) fn built(folder: &Path) -> anyhow::Result<Self> {
        let find = |name: &str| {
            let path = folder.join(name);
            ensure!(path.is_file(), "there is no {}", path.display());
            Ok(path.canonicalize()?)
        };
        Ok(Self {
            ckaad: find("ckaad")?,
            networks: find("examples/network_worker")?,
            epoch: find("examples/epoch_worker")?,
        })
    }

    /// Builds them for a kind of device, so that building is not timed.
    pub(super) fn build(kind: &str) -> anyhow::Result<Self> {
        let features = match kind {
            "cpu" => None,
            kind => Some(format!("--features=ckaad/{kind}")),
        };
        let arguments = [
            "build",
            "--release",
            // Together, so that all are built with the same features and share their dependencies.
            "-p",
            "ckaad",
            "-p",
            "ckaad-engine",
            "--bins",
            "--example",
            "network_worker",
            "--example",
            "epoch_worker",
            "--message-format=json",
        ];
        let built = Command::new(env!("CARGO"))
            .args(arguments)
            .args(features)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        ensure!(built.status.success(), "our side does not build");
        let messages: Vec<serde_json::Value> = String::from_utf8_lossy(&built.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let find = |name: &str| {
            messages
                .iter()
                .filter(|message| message["target"]["name"] == name)
                .find_map(|message| message["executable"].as_str().map(PathBuf::from))
                .with_context(|| format!("cargo does not say where {name} lies"))
        };
        Ok(Self {
            ckaad: find("ckaad")?,
            networks: find("network_worker")?,
            epoch: find("epoch_worker")?,
        })
    }
}

impl Python {
    /// Makes sure that it has what is needed.
    pub(super) fn find(program: &OsString) -> anyhow::Result<Self> {
        let modules = "import platform, torch, torchvision, scipy, PIL; \
                       print('Python', platform.python_version() + ', PyTorch', torch.__version__ + ', torchvision', \
                       torchvision.__version__ + ', SciPy', scipy.__version__ + ', Pillow', PIL.__version__)";
        let answer = Command::new(program)
            .args(["-c", modules])
            .stderr(Stdio::null())
            .output()
            .context("cannot be started")?;
        ensure!(
            answer.status.success(),
            "lacks PyTorch, torchvision, SciPy or Pillow"
        );
        Ok(Self {
            program: program.clone(),
            versions: String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
        })
    }
}
