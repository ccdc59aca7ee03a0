//! What several tests need.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use ckaad_data::{SynthSize, synth_demo};
use serde_json::Value;

/// The program, with no weights or devices from the environment.
pub(crate) fn ckaad() -> Command {
    Command::from_std(process())
}

/// The same, for tests that choose its pipes or talk to it while it runs.
pub(crate) fn process() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ckaad"));
    command
        .env_remove("CKAAD_WEIGHTS")
        .env_remove("CKAAD_DEVICE")
        .env_remove("CKAAD_LOG");
    command
}

/// A small synthetic data set in the MVTec AD layout, category `weave`.
pub(crate) fn synthetic(folder: &Path) -> PathBuf {
    let root = folder.join("data");
    let size = SynthSize {
        side: 64,
        train_normal: 12,
        train_anomalous: 8,
        test_normal: 4,
        test_anomalous: 4,
    };
    synth_demo(&root, 3, size).unwrap();
    root
}

/// Arguments of a training run that takes seconds: 64 pixels, random features, batches of 4.
pub(crate) fn train_args(root: &Path, out: &Path) -> Vec<String> {
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let fixed = "train --layout mvtec-ad --category weave --image-size 64 --batch 4 --epochs 2 --random-features --seed 5";
    let mut args: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    args.extend([
        "--data".to_owned(),
        text(root),
        "--out".to_owned(),
        text(out),
    ]);
    args
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The lines of a JSON-lines file.
pub(crate) fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
