//! The five methods, and both sources of anomalous images.

use std::path::PathBuf;

use crate::support::{ckaad, json, json_lines, synthetic, train_args};

#[test]
fn every_method_trains_two_epochs() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    for (method, has_adversarial, has_discriminator) in [
        ("recon", false, false),
        ("recon-sub", true, false),
        ("gan", true, true),
        ("cka-img", true, true),
        ("cka-patch", true, true),
    ] {
        let run = folder.path().join(method);
        ckaad()
            .args(train_args(&root, &run))
            .args(["--method", method])
            .assert()
            .success();
        let log = json_lines(&run.join("log.jsonl"));
        assert_eq!(log.len(), 2, "{method}");
        for line in &log {
            assert!(
                line["reconstruction"].as_f64().unwrap() > 0.0,
                "{method}: {line}"
            );
            assert_eq!(
                line.get("adversarial").is_some(),
                has_adversarial,
                "{method}: {line}"
            );
            assert_eq!(
                line.get("discriminator").is_some(),
                has_discriminator,
                "{method}: {line}"
            );
        }
        let losses: Vec<f64> = log
            .iter()
            .map(|line| line["reconstruction"].as_f64().unwrap())
            .collect();
        assert!(losses[1] < losses[0], "{method} does not learn: {losses:?}");
    }
}

#[test]
fn textures_are_drawn_into_normal_images() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    // Any photographs serve as textures.
    let textures = folder.path().join("textures");
    std::fs::create_dir(&textures).unwrap();
    for entry in std::fs::read_dir(root.join("weave/train/good")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, textures.join(path.file_name().unwrap())).unwrap();
    }
    let mut models = Vec::new();
    for textures in [None, None, Some(&textures)] {
        let run = folder.path().join(format!("run{}", models.len()));
        let mut command = ckaad();
        command
            .args(train_args(&root, &run))
            .args(["--anomalies", "perlin"]);
        if let Some(textures) = textures {
            command.arg("--textures").arg(textures);
        }
        command.assert().success();
        let log = json_lines(&run.join("log.jsonl"));
        assert!(log[1]["discriminator"].as_f64().unwrap() > 0.0);
        models.push(std::fs::read(run.join("model.safetensors")).unwrap());
    }
    assert!(models[0] == models[1] && models[0] != models[2]);

    // The run goes on with the textures that it noted: one that came later makes no difference, one that was replaced is named.
    let run = folder.path().join("run2");
    let split = json(&run.join("split.json"));
    let noted = PathBuf::from(split["textures"][0]["path"].as_str().unwrap());
    assert!(noted.starts_with(&textures));
    std::fs::copy(&noted, textures.join("later.png")).unwrap();
    let resume = ["train".as_ref(), "--resume".as_ref(), run.as_os_str()];
    ckaad().args(resume).assert().success();
    std::fs::copy(root.join("weave/test/good/000.png"), &noted).unwrap();
    let output = ckaad().args(resume).assert().code(1);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains(noted.to_str().unwrap()), "{said}");

    let output = ckaad()
        .args(train_args(&root, &folder.path().join("none")))
        .args(["--anomalies", "perlin", "--textures"])
        .arg(root.join("nowhere"))
        .assert()
        .code(1);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn noise_on_features_needs_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let train = |name: &str, more: &[&str]| {
        let run = folder.path().join(name);
        let output = ckaad()
            .args(train_args(&root, &run))
            .args(["--anomalies", "feature-noise"])
            .args(more)
            .assert();
        (run, output)
    };
    let (run, output) = train("run", &[]);
    output.success();
    let log = json_lines(&run.join("log.jsonl"));
    assert!(log[1]["discriminator"].as_f64().unwrap() > 0.0);
    let (other, output) = train("other", &["--set", "feature_noise=2.0"]);
    output.success();
    let model = |run: &std::path::Path| std::fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(&run) != model(&other));
    let (_, output) = train("dra", &["--detector", "dra", "--set", "epochs=1"]);
    let output = output.code(2);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("dra looks at images"), "{said}");
}

#[test]
fn elastic_anomalies_need_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    let normal = root.join("weave/train/good");
    ckaad()
        .args([
            "train",
            "--image-size",
            "64",
            "--batch",
            "4",
            "--epochs",
            "1",
            "--random-features",
        ])
        .arg("--normal")
        .arg(&normal)
        .arg("--out")
        .arg(&run)
        .assert()
        .success();
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(
        config.contains("anomalies = \"elastic\"")
            && config.contains("validation = \"none\"")
            && config.contains("calibration = 0.25"),
        "{config}"
    );
    assert!(
        json_lines(&run.join("log.jsonl"))[0]["discriminator"]
            .as_f64()
            .unwrap()
            > 0.0
    );
}

#[test]
fn labelled_folders_of_ones_own_start_from_the_short_preset() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    let output = ckaad()
        .args(["train", "--image-size", "64", "--random-features"])
        .args(["--epochs", "1", "--set", "few_images=36"])
        .args(["--set", "validation=\"none\"", "--normal"])
        .arg(root.join("weave/train/good"))
        .arg("--anomalous")
        .arg(root.join("weave/test/hole"))
        .arg("--out")
        .arg(&run)
        .assert()
        .success();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("2 epochs instead of 1"), "{said}");
    let config = std::fs::read_to_string(run.join("config.toml")).unwrap();
    for line in [
        "preset = \"short\"",
        "batch = 16",
        "epochs = 2",
        "schedule = \"cosine\"",
        "anomalies = \"labelled\"",
    ] {
        assert!(config.contains(line), "{line}: {config}");
    }
    assert_eq!(json_lines(&run.join("log.jsonl")).len(), 2);
}
