//! Every wrong input is refused with an error that names what is wrong.

use std::path::Path;

use ckaad_parameters::{NamedTensor, NamedTensors};

use crate::support::{ckaad, synthetic, train_args};

/// Runs, expects failure, and returns what was said.
fn refused(args: impl IntoIterator<Item = String>) -> String {
    let output = ckaad().args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn with(mut args: Vec<String>, more: &[&str]) -> Vec<String> {
    args.extend(more.iter().map(|&text| text.to_owned()));
    args
}

#[test]
fn settings_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let out = folder.path().join("run");
    let args = || train_args(&root, &out);
    for (more, expected) in [
        (
            vec!["--image-size", "100"],
            "image_size = 100: must be a positive multiple of 32",
        ),
        (
            vec!["--set", "learning_rat=1.0"],
            "unknown field `learning_rat`",
        ),
        (
            vec!["--set", "detector.lambda=-1.0"],
            "detector.lambda = -1: must be",
        ),
        (vec!["--set", "lambda=0.1"], "write detector.lambda"),
        (vec!["--set", "stages=[3,2]"], "stages [3, 2]"),
        (
            vec!["--labelled-ratio", "1.5"],
            "labelled_ratio = 1.5: must be at least 0 and below 1",
        ),
        (
            vec!["--set", "backbone=\"resnet19\""],
            "\"resnet19\" is no known backbone",
        ),
        (
            vec!["--set", "detector.method=\"vae\""],
            "unknown variant `vae`, expected one of",
        ),
        (vec!["--device", "gpu"], "\"gpu\" names no device"),
        (vec!["--device", "cuda:7"], "cuda:7"),
    ] {
        let mut args = args();
        args.retain(|arg| arg != "--image-size" || !more.contains(&"--image-size"));
        if more.contains(&"--image-size") {
            args.retain(|arg| arg != "64");
        }
        let said = refused(with(args, &more));
        assert!(said.contains(expected), "{more:?}: {said}");
        assert!(!out.join("model.safetensors").exists());
    }
    let config = folder.path().join("typo.toml");
    std::fs::write(&config, "epoch = 3\n").unwrap();
    let said = refused(with(args(), &["--config", config.to_str().unwrap()]));
    assert!(
        said.contains("typo.toml") && said.contains("unknown field `epoch`"),
        "{said}"
    );
}

#[test]
fn names_that_nothing_has() {
    for (args, known) in [
        (
            "train --preset dental",
            "medical, industrial, cifar10, short",
        ),
        (
            "train --method vae",
            "recon, recon-sub, gan, cka-img, cka-patch",
        ),
        ("train --detector vae", "ckaad, "),
        ("train --backbone resnet19", "resnet18, resnet34, "),
        (
            "train --anomalies none",
            "labelled, elastic, perlin, feature-noise",
        ),
        ("train --layout tree", "folder, chest-xray, "),
        ("demo --method vae", "recon, recon-sub, "),
        ("weights path resnet19", "resnet18, resnet34, "),
        ("datasets check mnist .", "br35h, chest-xray, "),
        ("datasets synth mnist .", "br35h, chest-xray, "),
    ] {
        let output = ckaad().args(args.split(' ')).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args}: {said}");
        let wrong = args
            .split(' ')
            .find(|word| said.contains(&format!("'{word}'")));
        assert!(wrong.is_some(), "{args}: {said}");
        let listed = format!("[possible values: {known}");
        assert!(said.contains(&listed), "{args}: {said}");
    }
    let help = ckaad().args(["train", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help: Vec<&str> = help.split_whitespace().collect();
    let listed = "[possible values: medical, industrial, cifar10, short]";
    assert!(help.join(" ").contains(listed), "{help:?}");
}

#[test]
fn folders_without_images() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let out = folder.path().join("run");
    let args = |normal: &Path| {
        [
            "train",
            "--random-features",
            "--normal",
            normal.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ]
        .map(str::to_owned)
        .to_vec()
    };
    assert!(refused(args(&empty)).contains("empty"));
    let said = refused(args(&folder.path().join("absent")));
    assert!(said.contains("absent"), "{said}");
}

#[test]
fn an_unreadable_image_is_named_and_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    std::fs::write(root.join("weave/train/good/broken.png"), "no picture").unwrap();
    let out = folder.path().join("run");
    let said = refused(train_args(&root, &out));
    assert!(said.contains("broken.png"), "{said}");
    let out = folder.path().join("second");
    let output = ckaad()
        .args(with(train_args(&root, &out), &["--skip-bad"]))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("broken.png"),
        "{said}"
    );
}

#[test]
fn fewer_images_than_a_batch_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let out = folder.path().join("run");
    let mut args = train_args(&root, &out);
    args.extend(["--set".to_owned(), "batch=500".to_owned()]);
    let output = ckaad().args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("fewer than a batch of 500"), "{said}");
}

#[test]
fn labels_without_anomalous_images() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    for entry in std::fs::read_dir(root.join("weave/train")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("good") {
            std::fs::remove_dir_all(path).unwrap();
        }
    }
    let out = folder.path().join("run");
    let said = refused(with(train_args(&root, &out), &["--labelled-ratio", "0.1"]));
    assert!(
        said.contains("weave") && said.contains("anomalous"),
        "{said}"
    );
    let out = folder.path().join("second");
    let said = refused(train_args(&root, &out));
    assert!(said.contains("--anomalies elastic"), "{said}");
}

#[test]
fn weights_of_another_network() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let weights = folder.path().join("other.safetensors");
    let tensor = NamedTensor {
        shape: vec![64, 3, 7, 7],
        values: vec![0.0; 64 * 3 * 49],
    };
    let tensors: NamedTensors = [
        ("conv1.weight".to_owned(), tensor.clone()),
        ("layer1.0.conv3.weight".to_owned(), tensor),
    ]
    .into_iter()
    .collect();
    std::fs::write(&weights, tensors.to_safetensors().unwrap()).unwrap();
    let mut args = train_args(&root, &folder.path().join("run"));
    args.retain(|arg| arg != "--random-features");
    let said = refused(with(args, &["--weights", weights.to_str().unwrap()]));
    for part in [
        "other.safetensors",
        "resnet18",
        "missing",
        "not used by it layer1.0.conv3.weight",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn an_output_folder_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let out = folder.path().join("run");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("precious.txt"), "keep me").unwrap();
    let said = refused(train_args(&root, &out));
    assert!(
        said.contains("exists already") && !said.contains("--resume"),
        "{said}"
    );
    // What is no run cannot be gone on with.
    std::fs::write(out.join("config.toml"), "").unwrap();
    let said = refused(train_args(&root, &out));
    assert!(
        said.contains("exists already") && said.contains("--resume"),
        "{said}"
    );
    assert_eq!(
        std::fs::read_to_string(out.join("precious.txt")).unwrap(),
        "keep me"
    );
}

#[test]
fn folders_that_hold_no_run_and_files_that_hold_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let said = refused(["evaluate".to_owned(), path("nothing")]);
    assert!(said.contains("is no run folder"), "{said}");
    std::fs::write(folder.path().join("model.safetensors"), "not a model").unwrap();
    let said = refused([
        "predict".to_owned(),
        path("model.safetensors"),
        path("absent.png"),
        "--out".to_owned(),
        path("out"),
    ]);
    assert!(said.contains("absent.png"), "{said}");
    std::fs::write(folder.path().join("absent.png"), "x").unwrap();
    let said = refused([
        "predict".to_owned(),
        path("model.safetensors"),
        path("absent.png"),
        "--out".to_owned(),
        path("out"),
    ]);
    assert!(said.contains("model.safetensors"), "{said}");
}
