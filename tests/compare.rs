//! Several detectors on the same images.

use std::path::{Path, PathBuf};

use ckaad_data::{SynthSize, synth_demo};

use crate::support::{ckaad, json};

/// Enough images of either kind for validation to tell detectors apart.
fn images(folder: &Path) -> PathBuf {
    let root = folder.join("data");
    let size = SynthSize {
        side: 64,
        train_normal: 36,
        train_anomalous: 26,
        test_normal: 6,
        test_anomalous: 6,
    };
    synth_demo(&root, 3, size).unwrap();
    root
}

/// The arguments of a command on these images, from its name to `--out`.
fn args(command: &str, root: &Path, out: &Path) -> Vec<String> {
    let fixed = "--layout mvtec-ad --category weave --image-size 64 --batch 4 --random-features --seed 5 --data";
    let mut args = vec![command.to_owned()];
    args.extend(fixed.split(' ').map(str::to_owned));
    for part in [root.to_str().unwrap(), "--out", out.to_str().unwrap()] {
        args.push(part.to_owned());
    }
    args
}

fn said(command: &mut assert_cmd::Command) -> String {
    let output = command.assert().success();
    String::from_utf8_lossy(&output.get_output().stdout).into_owned()
}

fn model(run: &Path) -> Vec<u8> {
    std::fs::read(run.join("model.safetensors")).unwrap()
}

#[test]
fn detectors_and_controls_stand_in_one_table_and_one_is_picked() {
    let folder = tempfile::tempdir().unwrap();
    let root = images(folder.path());
    let (out, pick) = (folder.path().join("compared"), folder.path().join("best"));
    let names = ["probe", "padim", "gaussian", "ckaad"];
    let compare = || {
        let mut command = ckaad();
        command.args(args("compare", &root, &out));
        command.args(["--detectors", "gaussian,ckaad,probe,padim", "--epochs", "2"]);
        command
    };
    let output = compare().arg("--pick").arg(&pick).assert().success();
    let output = output.get_output().clone();
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(progress.contains("for ckaad"), "an estimate: {progress}");
    let comparison = json(&out.join("comparison.json"));
    let detectors = comparison["detectors"].as_array().unwrap();
    let found: Vec<&str> = detectors
        .iter()
        .map(|of| of["name"].as_str().unwrap())
        .collect();
    assert_eq!(found, names, "in the order of preference");
    for of in detectors {
        let auroc = of["validation"]["auroc"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&auroc), "{of}");
        assert!(
            of["test"]["auroc"].is_number() && of["milliseconds_per_image"].as_f64() > Some(0.0)
        );
    }
    let controls = comparison["controls"].as_array().unwrap();
    assert_eq!(controls.len(), 5);
    assert!(
        controls
            .iter()
            .all(|of| of["validation"]["auroc"].is_number())
    );
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    for text in [
        "padim",
        "adjusted by Holm",
        "thumbnail",
        "Recommended",
        "12 images",
    ] {
        assert!(page.contains(text), "{text} is missing");
    }
    for text in [
        "validation AUROC",
        "(thumbnail)",
        "(file-size)",
        "recommended: ",
    ] {
        assert!(table.contains(text), "{text}: {table}");
    }
    let recommended = comparison["recommended"]["detector"].as_str().unwrap();
    assert_eq!(model(&pick), model(&out.join(recommended)));

    // The same training as that of `train`.
    let alone = folder.path().join("alone");
    let mut train = ckaad();
    train.args(args("train", &root, &alone));
    said(train.args(["--detector", "padim"]));
    assert!(model(&alone) == model(&out.join("padim")));

    // One is gone and one was cut short: these are trained anew, to the same end, and no other.
    let before: Vec<_> = names.map(|name| model(&out.join(name))).into();
    let time = |name: &str| {
        let file = out.join(name).join("model.safetensors");
        std::fs::metadata(file).unwrap().modified().unwrap()
    };
    let untouched = time("gaussian");
    std::fs::remove_dir_all(out.join("padim")).unwrap();
    std::fs::remove_file(out.join("ckaad/model.safetensors")).unwrap();
    std::fs::remove_file(out.join("ckaad/checkpoint/last.safetensors")).unwrap();
    said(&mut compare());
    assert_eq!(time("gaussian"), untouched);
    let again: Vec<_> = names.map(|name| model(&out.join(name))).into();
    assert!(before == again, "going on led elsewhere");
    let figures = json(&out.join("comparison.json"));
    assert_eq!(figures["recommended"], comparison["recommended"]);
    assert_eq!(figures["controls"], comparison["controls"]);

    // Runs of other settings are not mixed in.
    let refusal = compare().args(["--seed", "6"]).assert().failure();
    let refusal = String::from_utf8_lossy(&refusal.get_output().stderr).into_owned();
    assert!(
        refusal.contains("holds a run of other settings or images"),
        "{refusal}"
    );
}

#[test]
fn without_labels_validation_tells_nothing_and_preference_decides() {
    let folder = tempfile::tempdir().unwrap();
    let root = images(folder.path()).join("weave");
    let out = folder.path().join("compared");
    let mut command = ckaad();
    command.args(
        "compare --image-size 64 --random-features --set validation=\"none\" --normal".split(' '),
    );
    command.arg(root.join("train/good")).arg("--out").arg(&out);
    command.args(["--detectors", "gaussian,padim"]);
    let table = said(&mut command);
    let comparison = json(&out.join("comparison.json"));
    assert_eq!(comparison["recommended"]["detector"], "padim");
    assert!(table.contains("too few to tell"), "{table}");
    assert!(comparison["detectors"][0]["validation"].is_null());
}
