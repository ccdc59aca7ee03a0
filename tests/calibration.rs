//! Thresholds that promise a false-alarm rate, with folders of one's own.

use std::path::Path;

use crate::support::{ckaad, json, synthetic, train_args};

/// A folder of so many copies of the synthetic normal images.
fn normal_images(folder: &Path, root: &Path, count: usize) -> std::path::PathBuf {
    let normal = folder.join("good");
    std::fs::create_dir(&normal).unwrap();
    let images: Vec<_> = std::fs::read_dir(root.join("weave/train/good"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for copy in 0..count {
        let name = normal.join(format!("{copy:03}.png"));
        std::fs::copy(&images[copy % images.len()], name).unwrap();
    }
    normal
}

#[test]
fn held_out_images_promise_a_rate_that_predictions_state() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let normal = normal_images(folder.path(), &root, 40);
    let run = folder.path().join("run");
    ckaad()
        .args(["train", "--detector", "gaussian", "--random-features"])
        .args(["--image-size", "64", "--normal"])
        .arg(&normal)
        .arg("--out")
        .arg(&run)
        .assert()
        .success();
    let split = json(&run.join("split.json"));
    let count = |list: &str| split[list].as_array().unwrap().len();
    assert_eq!((count("normal"), count("calibration")), (30, 10));

    let predict = |out: &str, more: &[&str]| -> serde_json::Value {
        let mut command = ckaad();
        command
            .arg("predict")
            .arg(&run)
            .arg(root.join("weave/test"))
            .arg("--out")
            .arg(folder.path().join(out))
            .args(["--json", "--no-heatmaps"])
            .args(more);
        let output = command.assert().success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    };
    let default = predict("default", &[]);
    // Ten images cannot promise 5 %; one in eleven is the least.
    assert_eq!(default["promise"].as_f64(), Some(1.0 / 11.0));
    let looser = predict("looser", &["--alpha", "0.5"]);
    assert_eq!(looser["promise"].as_f64(), Some(5.0 / 11.0));
    assert!(looser["threshold"].as_f64() < default["threshold"].as_f64());
    for prediction in default["predictions"].as_array().unwrap() {
        let p = prediction["p_value"].as_f64().unwrap();
        assert!((1.0 / 11.0..=1.0).contains(&p));
        assert_eq!(prediction["anomalous"], p <= 1.0 / 11.0, "{prediction}");
    }
    let table = std::fs::read_to_string(folder.path().join("default/predictions.csv")).unwrap();
    assert!(table.starts_with("path,score,decision,p_value,"), "{table}");
}

#[test]
fn a_model_without_held_out_images_promises_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    ckaad().args(train_args(&root, &run)).assert().success();
    assert!(json(&run.join("split.json")).get("calibration").is_none());
    let output = ckaad()
        .arg("predict")
        .arg(&run)
        .arg(root.join("weave/test"))
        .arg("--out")
        .arg(folder.path().join("out"))
        .args(["--alpha", "0.1"])
        .assert()
        .failure();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("promises no false-alarm rate"), "{said}");
}
