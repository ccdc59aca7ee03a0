//! Where and when, and of which version.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory_gib: Option<f64>,
    pub(super) system: &'static str,
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

/// The commit that the workspace is at, marked if it has been changed since.
pub(super) fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude=*"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output();
    output
        .ok()
        .filter(|output| output.status.success())
        .map_or_else(
            || "unknown".to_owned(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )
}

/// The date in UTC, as in 2026-11-24.
pub(super) fn date() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}
