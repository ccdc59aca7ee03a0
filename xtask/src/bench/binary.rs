//! The `ckaad` program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::args::PlaceArgs;

/// The program named by --binary, or one built now.
pub(crate) fn find(args: &PlaceArgs) -> anyhow::Result<PathBuf> {
    let path = match &args.binary {
        Some(path) => path.clone(),
        None => build(&args.features)?,
    };
    let path = std::path::absolute(path)?;
    ensure!(
        path.is_file(),
        "{} is not there; name the `ckaad` program by --binary",
        path.display()
    );
    Ok(path)
}

fn build(features: &[String]) -> anyhow::Result<PathBuf> {
    eprintln!("building ckaad (release)");
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--release", "-p", "ckaad", "--bin", "ckaad"])
        .arg("--message-format=json-render-diagnostics");
    if !features.is_empty() {
        command.arg("--features").arg(features.join(","));
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "ckaad does not build");
    let artifacts = String::from_utf8_lossy(&output.stdout);
    artifacts
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|artifact| Some(PathBuf::from(artifact.get("executable")?.as_str()?)))
        .find(|path| path.file_stem().is_some_and(|stem| stem == "ckaad"))
        .context("cargo names no program ckaad")
}

/// Fails early where pretrained weights are needed and cannot be had, instead of in every run.
pub(crate) fn fetch_weights(binary: &Path, backbone: &str) -> anyhow::Result<()> {
    let status = Command::new(binary)
        .args(["weights", "fetch", backbone])
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    ensure!(
        status.success(),
        "no pretrained weights of {backbone}: put them into a folder and name it by CKAAD_WEIGHTS, choose another --backbone, \
         or use --sample"
    );
    Ok(())
}
