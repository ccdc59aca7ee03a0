//! Models for other programs: every detector as a graph that scores as it does.

use std::path::{Path, PathBuf};

use ckaad_data::{Source, load_picture};
use ckaad_detectors::DetectorSettings;
use ckaad_engine::Predictor;
use ckaad_export::{Input, Verifier, onnx};
use serde_json::Value;

use crate::small_run;
use crate::support::{ckaad, synthetic, train_args};

/// A run of a detector with such settings, for as few epochs as it can have.
fn trained(root: &Path, run: &Path, detector: &str, settings: &[&str]) {
    let mut args = train_args(root, run);
    args.retain(|arg| arg != "--epochs" && arg != "2");
    // The first pass of a fusion is for some of its members alone.
    let epochs = 1 + usize::from(detector == "fusion");
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    ckaad()
        .args(args)
        .args(["--detector", detector, "--set", &format!("epochs={epochs}")])
        .args(settings)
        .assert()
        .success();
}

/// What the program says of a graph that it wrote and found good on the test images.
fn exported(run: &Path, images: &Path, more: &[&str]) -> Value {
    let output = ckaad()
        .arg("export")
        .arg(run)
        .arg("--onnx")
        .arg(run.join("model.onnx"))
        .args(more)
        .arg("--json")
        .arg("--verify")
        .arg(images)
        .assert()
        .success();
    let said: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    said[0].clone()
}

/// Runs every detector, with its settings as they are or with those.
fn all_score_as_they_do(detectors: &[(&str, &[&str])]) {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let images = root.join("weave/test");
    for (index, (detector, settings)) in detectors.iter().enumerate() {
        let run = folder.path().join(index.to_string());
        trained(&root, &run, detector, settings);
        let said = exported(&run, &images, &[]);
        assert_eq!(said["difference"]["images"], 8, "{detector}: {said}");
        println!("{detector} {settings:?}: {}", said["difference"]);
        assert!(run.join("model.onnx").is_file());
    }
}

/// What works on pixels has no graph.
const ON_PIXELS: [&str; 7] = [
    "draem", "destseg", "ganomaly", "ae-flow", "aa-bigan", "dmad", "d3ad",
];

#[test]
fn what_works_on_pixels_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    trained(&root, &run, "ganomaly", &[]);
    let file = folder.path().join("model.onnx");
    let output = ckaad()
        .arg("export")
        .arg(&run)
        .arg("--onnx")
        .arg(&file)
        .assert()
        .failure();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("a model of the detector ganomaly"), "{said}");
    assert!(!file.exists());
}

#[test]
fn every_detector_scores_as_a_graph_as_it_does() {
    let small: &[&str] = &["detector.hidden=32", "detector.test_views=4"];
    let detectors: Vec<(&str, &[&str])> = DetectorSettings::NAMES
        .iter()
        .filter(|name| !ON_PIXELS.contains(name))
        .map(|name| match *name {
            "differnet" => (*name, small),
            "dra" | "devnet" | "prenet" => (*name, &["detector.rounds=2"][..]),
            _ => (*name, &[][..]),
        })
        .collect();
    all_score_as_they_do(&detectors);
}

#[test]
fn settings_that_change_the_graph_are_followed() {
    all_score_as_they_do(&[
        ("patchcore", &["detector.form=\"neighbourhoods\""]),
        ("patchcore", &["detector.neighbours=1", "stages=[3]"]),
        (
            "padim",
            &["detector.covariance=\"diagonal\"", "stages=[1,3]"],
        ),
        ("probe", &["detector.pooling=[\"maximum\"]"]),
        (
            "ckaad",
            &[
                "detector.norm=\"batch\"",
                "detector.image_score=\"max\"",
                "stages=[1,2]",
            ],
        ),
        (
            "ckaad",
            &[
                "detector.image_score=\"mean\"",
                "backbone=\"resnet50\"",
                "stages=[1,2]",
            ],
        ),
        // On the wide features of a bottleneck network rounding alone comes near the limit.
        ("fastflow", &["detector.steps=2", "stages=[2]"]),
        (
            "fusion",
            &[
                "epochs=1",
                "detector.members=[\"patchcore\",\"padim\",\"deep-sad\"]",
            ],
        ),
    ]);
}

#[test]
fn a_graph_resizes_pictures_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = small_run::finished(folder.path());
    let images = root.join("weave/test/good");
    let said = exported(&run, &images, &["--with-preprocessing"]);
    assert!(
        said["difference"]["score"].as_f64().unwrap() < 1e-4,
        "{said}"
    );

    // Pictures of other sizes, wide, tall and small.
    let predictor = opened(&run);
    let file = onnx(&predictor, Input::Pictures).unwrap();
    let mut verifier = Verifier::new(&file, Input::Pictures, &predictor).unwrap();
    for (width, height) in [(97, 41), (40, 75), (13, 29), (32, 200), (301, 32)] {
        let pixel = |i: usize| (i * 7919 % 256) as u8;
        verifier
            .compare(&[ckaad_data::Picture {
                width,
                height,
                pixels: (0..3 * width * height).map(pixel).collect(),
            }])
            .unwrap();
    }
    let difference = verifier.difference().unwrap();
    println!("{difference:?}");
    assert!(difference.is_good(), "{difference:?}");
}

#[test]
fn a_graph_of_another_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = small_run::finished(folder.path());
    let other = folder.path().join("other");
    let args = small_run::train(&root, &other, &["--detector", "gaussian", "--seed", "6"]);
    ckaad().args(args).assert().success();
    let file = onnx(&opened(&other), Input::Images).unwrap();
    let predictor = opened(&run);
    let mut verifier = Verifier::new(&file, Input::Images, &predictor).unwrap();
    verifier.compare(&pictures(&root)).unwrap();
    assert!(!verifier.difference().unwrap().is_good());
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_, run) = small_run::finished(folder.path());
    let file = folder.path().join("x.safetensors");
    for (args, code, says) in [
        (vec![], 2, "--onnx"),
        (vec!["--verify", "x"], 2, "--onnx"),
        (vec!["--layout", "torch"], 2, "--layout"),
        (vec!["--from-torch", "x"], 2, "--out"),
        (
            vec!["--layout", "keras", file.to_str().unwrap()],
            1,
            "no such layout",
        ),
        (
            vec!["--layout", "torch", file.to_str().unwrap()],
            1,
            "gaussian has no auto-encoder",
        ),
    ] {
        let output = ckaad()
            .arg("export")
            .arg(&run)
            .args(&args)
            .assert()
            .code(code);
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(said.contains(says), "{args:?}: {said}");
        assert!(!file.exists());
    }
}

pub(crate) fn opened(run: &Path) -> Predictor {
    Predictor::open(&run.join("model.safetensors"), None, &ckaad_device::cpu()).unwrap()
}

pub(crate) fn pictures(root: &Path) -> Vec<ckaad_data::Picture> {
    let folder = root.join("weave/test/good");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let load = |file: PathBuf| load_picture(&Source::File(file)).unwrap();
    files.into_iter().map(load).collect()
}
