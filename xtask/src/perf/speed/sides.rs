//! The programs of both sides, and how they are started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::computing::Computing;
use super::machine;
use super::part::Part;
use crate::precision::Precision;

/// The peer of every row.
pub(super) const PYTORCH: &str = "PyTorch";

/// Our own program, beside itself in another precision.
pub(super) const OURS_IN_F32: &str = "ours in f32";

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
    /// The runtimes for inference that it has.
    pub(super) runtimes: Vec<Runtime>,
}

/// A runtime for inference, which runs the network that PyTorch exports.
pub(super) struct Runtime {
    pub(super) name: &'static str,
    pub(super) module: &'static str,
    /// Besides single precision.
    bf16: bool,
}

impl Runtime {
    const ALL: [Self; 2] = [
        Self {
            name: "ONNX Runtime",
            module: "onnxruntime",
            bf16: false,
        },
        Self {
            name: "OpenVINO",
            module: "openvino",
            bf16: true,
        },
    ];

    /// Whether it takes part.
    pub(super) fn does(&self, part: Part, computing: &Computing) -> bool {
        let precise = match computing.precision {
            Precision::F32 => true,
            Precision::Bf16 => self.bf16,
            Precision::Tf32 => false,
        };
        part == Part::Infer && computing.kind() == "cpu" && precise
    }
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
        let ask = |code: &str| {
            Command::new(program)
                .args(["-c", code])
                .stderr(Stdio::null())
                .output()
                .context("cannot be started")
        };
        let modules = "import platform, torch, torchvision, scipy, PIL; \
                       print('Python', platform.python_version() + ', PyTorch', torch.__version__ + ', torchvision', \
                       torchvision.__version__ + ', SciPy', scipy.__version__ + ', Pillow', PIL.__version__)";
        let answer = ask(modules)?;
        ensure!(
            answer.status.success(),
            "lacks PyTorch, torchvision, SciPy or Pillow"
        );
        let mut versions = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        let mut runtimes = Vec::new();
        for runtime in Runtime::ALL {
            let module = runtime.module;
            // PyTorch exports by the other two.
            let answer = ask(&format!(
                "import {module}, onnx, onnxscript; print({module}.__version__)"
            ))?;
            if answer.status.success() {
                let version = String::from_utf8_lossy(&answer.stdout);
                versions += &format!(", {} {}", runtime.name, version.trim());
                runtimes.push(runtime);
            }
        }
        Ok(Self {
            program: program.clone(),
            versions,
            runtimes,
        })
    }
}
