//! Networks to PyTorch and back.

use std::path::{Path, PathBuf};

use ckaad_engine::Predictor;
use ckaad_export::torch;
use ckaad_parameters::NamedTensors;

use crate::export::{opened, pictures};
use crate::small_run;
use crate::support::ckaad;

#[test]
fn networks_go_to_pytorch_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = small_run::images(folder.path());
    for (method, discriminator) in [("cka-patch", true), ("recon", false), ("cka-img", true)] {
        let run = folder.path().join(method);
        let more = ["--method", method, "--epochs", "1"];
        ckaad()
            .args(small_run::train(&root, &run, &more))
            .assert()
            .success();
        let file = folder.path().join(format!("{method}.safetensors"));
        let there = |model: &Path| {
            ckaad()
                .args(["export", "--layout", "torch"])
                .arg(&file)
                .arg(model)
                .assert()
                .success();
            NamedTensors::read(&file).unwrap()
        };
        let tensors = there(&run);
        let name = "autoencoder.decode.0.0.body.0.weight";
        assert!(tensors.get(name).is_some(), "{method}");
        let has = |tensors: &NamedTensors| {
            tensors
                .names()
                .any(|name| name.starts_with("discriminator."))
        };
        assert_eq!(has(&tensors), discriminator, "{method}");
        // A model has no discriminator.
        assert!(!has(&there(&run.join("model.safetensors"))), "{method}");

        // Another model takes the auto-encoder over.
        let other = folder.path().join(format!("{method}-other"));
        let more = ["--method", method, "--epochs", "1", "--seed", "6"];
        ckaad()
            .args(small_run::train(&root, &other, &more))
            .assert()
            .success();
        let back = folder.path().join(format!("{method}-back.safetensors"));
        ckaad()
            .arg("export")
            .arg(&other)
            .arg("--from-torch")
            .arg(&file)
            .arg("--out")
            .arg(&back)
            .assert()
            .success();
        let parameters = |model: PathBuf| {
            let model = Predictor::open(&model, None, &ckaad_device::cpu()).unwrap();
            model.detector().parameters()
        };
        assert_eq!(parameters(back), parameters(run.join("model.safetensors")));
        assert_ne!(
            parameters(other.join("model.safetensors")),
            parameters(run.join("model.safetensors"))
        );
    }
}

/// A state dict of the auto-encoder alone is taken, too; one that lacks a parameter is not.
#[test]
fn parameters_of_another_network_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = small_run::images(folder.path());
    let run = folder.path().join("run");
    let more = ["--method", "recon", "--epochs", "1"];
    ckaad()
        .args(small_run::train(&root, &run, &more))
        .assert()
        .success();
    let predictor = opened(&run);
    let mut state_dict = torch::parameters(&predictor, None)
        .unwrap()
        .take_prefixed("autoencoder.");
    let same = torch::with_parameters(&predictor, state_dict.clone()).unwrap();
    assert_eq!(
        same.predict(&pictures(&root)),
        predictor.predict(&pictures(&root))
    );
    let name = "decode.0.0.body.0.weight";
    state_dict.remove(name).unwrap();
    let Err(error) = torch::with_parameters(&predictor, state_dict) else {
        panic!("it lacks {name}");
    };
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert!(said.contains(name), "{said}");
}
