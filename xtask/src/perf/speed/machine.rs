//! Where and when, and of which version.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory_gib: Option<f64>,
    pub(super) system: &'static str,
    /// The GPUs that NVIDIA's driver knows.
    pub(super) gpus: Option<String>,
}

impl Machine {
    pub(super) fn this() -> Self {
        Self {
            processor: entry("/proc/cpuinfo", "model name")
                .unwrap_or_else(|| "unknown processor".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: entry("/proc/meminfo", "MemTotal")
                .and_then(|memory| memory.strip_suffix(" kB")?.parse::<f64>().ok())
                .map(|kib| (kib / f64::from(1 << 20) * 10.0).round() / 10.0),
            system: std::env::consts::OS,
            gpus: output(
                Command::new("nvidia-smi")
                    .args(["--query-gpu=name,driver_version", "--format=csv,noheader"]),
            )
            .map(|lines| lines.replace('\n', "; ")),
        }
    }
}

/// The value of the first line with a name, in a table that the system keeps.
fn entry(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The folder of this crate: where it was built, or under the current folder if it was carried to another machine.
pub(super) fn folder() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    if built.is_dir() {
        built
    } else {
        PathBuf::from("xtask")
    }
}

/// The commit that the workspace is at, marked if it has been changed since.
pub(super) fn commit() -> String {
    let describe = ["describe", "--always", "--dirty", "--exclude=*"];
    output(Command::new("git").args(describe).current_dir(folder()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// What a command prints, or `None` if it fails or is not there.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// The date in UTC, as in 2026-11-24.
pub(super) fn date() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
