//! Models and checkpoints that were damaged, or made to do damage.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod run;

use std::path::Path;

use ckaad_engine::scoring::{HeatStyle, PredictOptions, predict_files};
use ckaad_engine::{EngineError, Predictor};
use ckaad_parameters::{NamedTensors, Seal};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use self::run::Run;

const MODEL: Seal = Seal {
    key: "ckaad_model",
    version: 3,
};

fn open(path: &Path) -> Result<Predictor, EngineError> {
    Predictor::open(path, None, &ckaad_device::cpu())
}

/// Every file that is cut off at another percent, and 500 with one bit flipped, is refused by `read`, which must name it.
fn all_damage_is_refused(path: &Path, seed: u64, read: impl Fn() -> Result<(), EngineError>) {
    read().unwrap();
    let whole = std::fs::read(path).unwrap();
    let refused = |what: String| {
        let said = read().expect_err(&what).to_string();
        assert!(said.contains(path.to_str().unwrap()), "{what}: {said}");
    };
    for percent in 0..100 {
        std::fs::write(path, &whole[..whole.len() * percent / 100]).unwrap();
        refused(format!("{percent} %"));
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..500 {
        let bit = random.random_range(0..8 * whole.len());
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(path, &flipped).unwrap();
        refused(format!("bit {bit}"));
    }
    std::fs::write(path, &whole).unwrap();
    read().unwrap();
}

#[test]
fn no_damage_is_silent() {
    let run = Run::new();
    let model = run.path().join("model.safetensors");
    all_damage_is_refused(&model, 1, || open(&model).map(drop));
    let checkpoint = run.path().join("checkpoint/last.safetensors");
    all_damage_is_refused(&checkpoint, 2, || run.resume());

    // A checkpoint or a model is no file of the other kind, and neither is of another run.
    std::fs::copy(&model, &checkpoint).unwrap();
    let said = run.resume().unwrap_err().to_string();
    assert!(said.contains("wrote it as something else"), "{said}");
}

/// What a model file says, made by somebody who can seal it.
fn forged(model: &Path, change: impl FnOnce(&mut Value, &mut NamedTensors)) -> Result<(), String> {
    let file = MODEL.read(model).unwrap();
    let (mut info, mut tensors) = (file.info().unwrap(), file.parameters().unwrap());
    change(&mut info, &mut tensors);
    let path = model.with_file_name("forged.safetensors");
    std::fs::write(
        &path,
        MODEL.to_bytes(tensors.views().unwrap(), &info).unwrap(),
    )
    .unwrap();
    let opened = open(&path).map(drop).map_err(|error| error.to_string());
    if let Err(said) = &opened {
        assert!(said.contains("forged.safetensors"), "{said}");
    }
    opened
}

#[test]
fn what_a_sealed_model_may_not_say() {
    let run = Run::new();
    let model = run.path().join("model.safetensors");
    forged(&model, |_, _| {}).unwrap();
    for value in [f32::NAN, f32::INFINITY, -f32::INFINITY, 1e38] {
        let said = forged(&model, |_, tensors| {
            let name = tensors.names().next().unwrap().to_owned();
            let mut tensor = tensors.remove(&name).unwrap();
            tensor.values[0] = value;
            tensors.insert(name, tensor);
        });
        let said = said.unwrap_err();
        assert!(said.contains("which nothing can have learned"), "{said}");
    }
    for (key, value, expected) in [
        ("image_size", json!(1_u64 << 16), "must be at most 2048"),
        ("image_size", json!(1_u64 << 32), "must be at most 2048"),
        ("image_size", json!(1_u64 << 61), "must be at most 2048"),
        (
            "batch",
            json!(1_u64 << 61),
            "must be at least 1 and at most",
        ),
        (
            "epochs",
            json!(1_u64 << 61),
            "must be at least 1 and at most",
        ),
        ("feature_cache_mib", json!(u64::MAX), "must be at most"),
        ("elastic", json!({"sigma": 1e308}), "elastic.sigma"),
        ("elastic", json!({"sigma": 1e-300}), "elastic.sigma"),
        ("alpha", json!(7.0), "alpha"),
        ("stages", json!([9]), "stages"),
        (
            "detector",
            json!({"name": "ckaad", "margin": 1e308}),
            "detector.margin",
        ),
        (
            "detector",
            json!({"name": "ckaad", "learning_rate": 1e308}),
            "detector.learning_rate",
        ),
        (
            "detector",
            json!({"name": "differnet", "hidden": 1_u64 << 40}),
            "detector.hidden",
        ),
        (
            "detector",
            json!({"name": "patchcore", "projection": 1_u64 << 60}),
            "detector.projection",
        ),
        (
            "detector",
            json!({"name": "padim", "dimensions": 1_u64 << 60}),
            "detector.dimensions",
        ),
        (
            "detector",
            json!({"name": "fastflow", "steps": 1_u64 << 60}),
            "detector.steps",
        ),
        (
            "detector",
            json!({"name": "devnet", "rounds": 1_u64 << 60}),
            "detector.rounds",
        ),
        ("detector", json!({"name": "nonesuch"}), "nonesuch"),
    ] {
        let said = forged(&model, |info, _| info["config"][key] = value.clone()).unwrap_err();
        assert!(said.contains(expected), "{key} = {value}: {said}");
    }
    for (part, value) in [
        ("threshold", json!(null)),
        (
            "maps",
            json!({"threshold": {"value": 1.0, "rule": ""}, "range": [0.0, 1e39]}),
        ),
    ] {
        assert!(
            forged(&model, |info, _| info[part] = value.clone()).is_err(),
            "{part}"
        );
    }
    assert!(forged(&model, |info, _| info["threshold"]["value"] = json!(null)).is_err());
    assert!(
        forged(&model, |_, tensors| {
            let all = std::mem::take(tensors);
            *tensors = all.prefixed("../");
        })
        .is_err()
    );
}

#[test]
fn what_belongs_to_another_run_is_refused() {
    let (run, other) = (Run::new(), Run::new());
    // The same settings on equal images are the same run, wherever the images lie.
    let checkpoint = "checkpoint/last.safetensors";
    std::fs::copy(other.path().join(checkpoint), run.path().join(checkpoint)).unwrap();
    run.resume().unwrap();
    // Other settings are not.
    let mut config = run.config.clone().into_inner();
    config.batch = 2;
    let edited = Run {
        config: config.check().unwrap(),
        ..run
    };
    let said = edited.resume().unwrap_err().to_string();
    assert!(
        said.contains("last.safetensors") && said.contains("batch = 4"),
        "{said}"
    );
}

#[test]
fn a_replaced_image_is_named() {
    let run = Run::new();
    let good = run.folder.path().join("data/weave/train/good");
    let image = std::fs::read_dir(&good)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let before = std::fs::read(&image).unwrap();
    let other = run.folder.path().join("data/weave/test/good");
    let other = std::fs::read_dir(&other)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::copy(&other, &image).unwrap();
    let said = run.resume().unwrap_err().to_string();
    assert!(said.contains(image.to_str().unwrap()), "{said}");
    assert!(
        said.contains("not what it was when the run began"),
        "{said}"
    );
    std::fs::write(&image, before).unwrap();
    run.resume().unwrap();
}

/// Parameters that can be, but lead to numbers that are none: the image has no score, where a comparison would call it normal.
#[test]
fn an_image_without_a_finite_score_is_not_normal() {
    let run = Run::new();
    let model = run.path().join("model.safetensors");
    forged(&model, |_, tensors| {
        *tensors = std::mem::take(tensors)
            .iter()
            .map(|(name, tensor)| {
                let mut tensor = tensor.clone();
                tensor.values.iter_mut().for_each(|value| *value *= 1e29);
                (name.to_owned(), tensor)
            })
            .collect();
    })
    .unwrap();
    let predictor = open(&model.with_file_name("forged.safetensors")).unwrap();
    let image = run.folder.path().join("data/weave/test/good");
    let image = std::fs::read_dir(&image)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let options = PredictOptions {
        threshold: predictor.info().threshold.value,
        reading: predictor.info().preprocessing.reading,
        overlays: true,
        heat: HeatStyle::default(),
        raw: None,
        regions: false,
        overwrite: false,
    };
    let out = run.folder.path().join("out");
    let predictions = predict_files(&predictor, &[image], &out, &options, &|_| {}).unwrap();
    match &predictions[0].outcome {
        Ok(decision) => assert!(
            decision.anomalous && decision.score.is_finite(),
            "{decision:?}"
        ),
        Err(error) => assert!(matches!(error, EngineError::NoScore), "{error}"),
    }
}
