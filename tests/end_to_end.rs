//! Train, evaluate, predict: the files a user meets.

use crate::support::{ckaad, json, synthetic, train_args};

#[test]
fn a_run_leaves_what_it_promises() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    ckaad().args(train_args(&root, &run)).assert().success();
    for file in [
        "config.toml",
        "split.json",
        "log.jsonl",
        "model.safetensors",
        "checkpoint/last.safetensors",
    ] {
        assert!(run.join(file).is_file(), "{file} is missing");
    }

    ckaad().arg("evaluate").arg(&run).assert().success();
    let report = json(&run.join("report.json"));
    let image = report["last"]["image"]["image_auroc"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&image));
    for name in ["pixel_auroc", "aupro_0.3", "pro_per_image"] {
        let value = report["last"]["pixel"][name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value), "{name} = {value}");
        assert!(
            report["definitions"][name].is_string(),
            "{name} is not defined in the report"
        );
    }
    assert_eq!(report["last"]["counts"]["anomalous"], 4);
    assert!(
        report["weights"]
            .as_str()
            .unwrap()
            .contains("not pretrained")
    );
    let table = std::fs::read_to_string(run.join("predictions.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 8);

    // The model file alone is enough, and scores what evaluation scored.
    let model = folder.path().join("elsewhere.safetensors");
    std::fs::rename(run.join("model.safetensors"), &model).unwrap();
    let out = folder.path().join("predictions");
    let output = ckaad()
        .arg("predict")
        .arg(&model)
        .arg(root.join("weave/test"))
        .arg("--out")
        .arg(&out)
        .args(["--raw", "npy", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let predicted: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let predictions = predicted["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 8);
    for prediction in predictions {
        let path = prediction["path"].as_str().unwrap();
        let line = table
            .lines()
            .find(|line| line.starts_with(path))
            .expect(path);
        let evaluated: f64 = line.split(',').nth(3).unwrap().parse().unwrap();
        let score = prediction["score"].as_f64().unwrap();
        assert!(
            (score - evaluated).abs() <= 1e-5 * evaluated.abs(),
            "{path}: {score} instead of {evaluated}"
        );
        for kind in ["overlay", "raw"] {
            let file = std::path::Path::new(prediction[kind].as_str().unwrap());
            assert!(file.is_file(), "{} is missing", file.display());
        }
    }
}

#[test]
fn commands_that_only_look_around() {
    let devices = ckaad().args(["devices", "--json"]).output().unwrap();
    let names: Vec<String> = serde_json::from_slice(&devices.stdout).unwrap();
    assert!(names.contains(&"cpu".to_owned()));
    let weights = ckaad().args(["weights", "list"]).output().unwrap();
    let text = String::from_utf8(weights.stdout).unwrap();
    assert!(
        text.contains("resnet18-f37072fd.pth") && text.contains("wide_resnet50_2-95faca4d.pth"),
        "{text}"
    );
    let datasets = ckaad().args(["datasets", "list"]).output().unwrap();
    assert!(
        String::from_utf8(datasets.stdout)
            .unwrap()
            .contains("chest-xray")
    );
}

/// The whole demonstration, as a user meets it without weights.
#[test]
fn the_demonstration_tells_defects_from_good_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    let output = ckaad()
        .arg("demo")
        .arg("--out")
        .arg(&out)
        .arg("--json")
        .env("HOME", folder.path())
        .env("XDG_CACHE_HOME", folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = json(&out.join("run/report.json"));
    assert_eq!(printed["last"]["image"], report["last"]["image"]);
    let auroc = report["last"]["image"]["image_auroc"].as_f64().unwrap();
    assert!(auroc >= 0.9, "image AUROC {auroc}");

    assert!(out.join("synthetic-data/SYNTHETIC.txt").is_file());
    let tested = &report["last"]["counts"];
    let tested = tested["normal"].as_u64().unwrap() + tested["anomalous"].as_u64().unwrap();
    let heatmaps = std::fs::read_dir(out.join("heatmaps"))
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension() == Some("png".as_ref()))
        .count();
    assert_eq!((heatmaps as u64, tested), (80, 80));
}
