//! A run that takes a moment.

use std::path::{Path, PathBuf};
use std::process::Output;

use ckaad_data::{SynthSize, synth_demo};

use crate::support::ckaad;

/// Arguments of a run that takes a moment.
pub(crate) fn train(root: &Path, out: &Path, more: &[&str]) -> Vec<String> {
    let fixed = "train --layout mvtec-ad --category weave --image-size 32 --batch 2 --random-features --seed 5 --set stages=[1]";
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut args: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    args.extend([
        "--data".to_owned(),
        text(root),
        "--out".to_owned(),
        text(out),
    ]);
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    args
}

/// Images for it.
pub(crate) fn images(folder: &Path) -> PathBuf {
    let root = folder.join("data");
    let size = SynthSize {
        side: 32,
        train_normal: 6,
        train_anomalous: 6,
        test_normal: 3,
        test_anomalous: 3,
    };
    synth_demo(&root, 3, size).unwrap();
    root
}

/// Data, and a finished run of the quickest detector on it.
pub(crate) fn finished(folder: &Path) -> (PathBuf, PathBuf) {
    let (root, run) = (images(folder), folder.join("run"));
    let args = train(&root, &run, &["--detector", "gaussian"]);
    ckaad().args(args).assert().success();
    (root, run)
}

/// What a program said.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
