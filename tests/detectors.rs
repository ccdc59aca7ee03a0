//! Every detector through the same commands.

use ckaad_detectors::{DetectorSettings, Passes};

use crate::support::{ckaad, json, json_lines, synthetic, train_args};

/// Settings that keep a test short.
fn small(detector: &str) -> &'static [&'static str] {
    match detector {
        "differnet" => &[
            "--set",
            "detector.hidden=32",
            "--set",
            "detector.test_views=4",
        ],
        "draem" => &[
            "--set",
            "detector.rebuild_width=8",
            "--set",
            "detector.segment_width=8",
        ],
        "destseg" => &["--set", "detector.segment_width=16"],
        "ganomaly" => &["--set", "detector.width=8", "--set", "detector.latent=16"],
        "ae-flow" => &["--set", "detector.steps=2"],
        "aa-bigan" => &["--set", "detector.width=8", "--set", "detector.hidden=64"],
        "dmad" => &[
            "--set",
            "detector.offset_width=8",
            "--set",
            "detector.codes=20",
        ],
        _ => &[],
    }
}

#[test]
fn every_detector_trains_goes_on_evaluates_and_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    for name in DetectorSettings::NAMES {
        let run = folder.path().join(name);
        let mut args = train_args(&root, &run);
        args.retain(|arg| arg != "--epochs" && arg != "2");
        // The first pass of a fusion is for some of its members alone, and that of d3ad for its auto-encoder.
        let epochs = 1 + usize::from(["fusion", "d3ad"].contains(name));
        ckaad()
            .args(args)
            .args(["--detector", name, "--set", &format!("epochs={epochs}")])
            .args(small(name))
            .assert()
            .success();
        let model = std::fs::read(run.join("model.safetensors")).unwrap();
        ckaad()
            .args(["train", "--resume"])
            .arg(&run)
            .assert()
            .success();
        assert!(
            model == std::fs::read(run.join("model.safetensors")).unwrap(),
            "{name}: going on with a finished run changed it"
        );
        assert_eq!(json_lines(&run.join("log.jsonl")).len(), epochs, "{name}");

        ckaad().arg("evaluate").arg(&run).assert().success();
        let report = json(&run.join("report.json"));
        assert_eq!(report["config"]["detector"]["name"], *name);
        let auroc = report["last"]["image"]["image_auroc"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&auroc), "{name}: {auroc}");
        ckaad()
            .arg("predict")
            .arg(&run)
            .arg(root.join("weave/test"))
            .arg("--out")
            .arg(folder.path().join(format!("{name}-maps")))
            .assert()
            .success();
    }
}

#[test]
fn a_detector_that_sees_every_image_once_has_no_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    let output = ckaad()
        .args(train_args(&root, &run))
        .args(["--detector", "gaussian"])
        .assert()
        .code(2);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("epochs = 2: must be 1: gaussian"), "{said}");

    let mut args = train_args(&root, &run);
    args.retain(|arg| arg != "--epochs" && arg != "2");
    ckaad()
        .args(args)
        .args(["--detector", "gaussian"])
        .assert()
        .success();
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains("epochs = 1"), "{config}");
}

/// What the benchmarks say of detectors is what these ask of a training.
#[test]
fn benchmarks_know_every_detector() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../xtask/settings.toml");
    let settings: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let known = settings["detectors"].as_table().unwrap();
    for name in DetectorSettings::NAMES
        .iter()
        .filter(|name| **name != "ckaad")
    {
        let entry = known[*name].as_table().unwrap_or_else(|| panic!("{name}"));
        let detector: DetectorSettings = toml::from_str(&format!("name = '{name}'")).unwrap();
        let needs = detector.needs();
        let flag = |key: &str| entry[key].as_bool().unwrap();
        assert_eq!(flag("once"), needs.passes == Passes::Once, "{name}");
        assert_eq!(flag("labels"), needs.anomalies.are_looked_at(), "{name}");
    }
    assert_eq!(known.len() + 1, DetectorSettings::NAMES.len());
}
