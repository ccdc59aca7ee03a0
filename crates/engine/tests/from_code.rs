//! What a program around the engine needs: stopping early, going on, scoring without a folder of results.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ckaad_data::{SynthSize, list_images, synth_demo};
use ckaad_engine::comparison::detectors_named;
use ckaad_engine::evaluation::{EvaluateOptions, evaluate_run_until};
use ckaad_engine::scoring::{HeatStyle, PredictOptions, model_path, predict_files, score_files};
use ckaad_engine::training::{Event, open_backbone};
use ckaad_engine::{
    CheckedConfig, Config, EngineError, Outcome, Overrides, Predictor, RunFolder, TrainContext,
    train,
};

/// *Synthetic* pictures, and settings that learn from the normal ones in a second.
fn config(root: &Path) -> CheckedConfig {
    let size = SynthSize {
        side: 64,
        train_normal: 40,
        train_anomalous: 2,
        test_normal: 4,
        test_anomalous: 4,
    };
    synth_demo(root, 3, size).unwrap();
    let folder = |name: &str| root.join("weave").join(name).display().to_string();
    let (normal, test) = (folder("train/good"), folder("test"));
    let overrides = Overrides {
        table: toml::toml! {
            image_size = 64
            features = "random"
            detector = { name = "padim" }
            data = { folders = { normal = normal, test = test } }
        },
        ..Overrides::default()
    };
    Config::resolve(None, overrides).unwrap()
}

fn trained(
    config: &CheckedConfig,
    out: &Path,
    stop: &AtomicBool,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<Outcome, EngineError> {
    let device = ckaad_device::cpu();
    let (backbone, weights) = open_backbone(config, None, &device)?.unwrap();
    let with = TrainContext {
        backbone: &backbone,
        weights: &weights,
        device: &device,
        observer,
        stop,
    };
    train(config, out, with)
}

#[test]
fn stopped_while_it_is_prepared_a_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out) = (config(folder.path()), folder.path().join("run"));
    for during in ["reading images", "preparing features"] {
        let stop = AtomicBool::new(false);
        let observer = |event: Event<'_>| match event {
            Event::Progress { what, .. } if what == during => stop.store(true, Ordering::Relaxed),
            Event::Prepared => panic!("it was to stop while {during}"),
            _ => {}
        };
        let outcome = trained(&config, &out, &stop, &observer);
        assert!(
            matches!(outcome, Err(EngineError::StoppedEarly)),
            "{during}"
        );
        assert!(!out.exists());
    }
}

#[test]
fn a_run_is_used_from_code() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out) = (config(folder.path()), folder.path().join("run"));
    let never = AtomicBool::new(false);
    let outcome = trained(&config, &out, &never, &|_| {}).unwrap();
    assert_eq!(outcome, Outcome::Finished);
    let (run, device) = (RunFolder::open(&out).unwrap(), ckaad_device::cpu());

    // Scores are those that a folder of results holds, and an image that is none is an error of its own.
    let model = model_path(&out).unwrap();
    assert_eq!(model_path(&model).unwrap(), model);
    assert!(model_path(folder.path()).is_err());
    let predictor = Predictor::open(&model, None, &device).unwrap();
    let mut images = list_images(&[folder.path().join("weave")], &[])
        .unwrap()
        .images;
    images.insert(3, PathBuf::from("nowhere.png"));
    let reading = predictor.info().preprocessing.reading;
    let found: Vec<_> = score_files(&predictor, &images, reading)
        .flatten()
        .collect();
    let options = PredictOptions {
        threshold: predictor.info().threshold.value,
        reading,
        overlays: false,
        heat: HeatStyle::default(),
        raw: None,
        regions: false,
        overwrite: false,
    };
    let results = folder.path().join("results");
    let written = predict_files(&predictor, &images, &results, &options, &|_| {}).unwrap();
    assert_eq!(found.len(), images.len());
    for (index, (found, written)) in found.iter().zip(&written).enumerate() {
        match (found, &written.outcome) {
            (Ok(found), Ok(written)) => assert_eq!(found.score, written.score),
            (Err(found), Err(written)) => {
                assert_eq!((index, found.to_string()), (3, written.to_string()));
            }
            _ => panic!("{found:?} and {written:?}"),
        }
    }

    // An evaluation that is stopped writes nothing.
    let stop = AtomicBool::new(false);
    let observer = |_: Event<'_>| stop.store(true, Ordering::Relaxed);
    let options = EvaluateOptions::default();
    let stopped = evaluate_run_until(&run, &options, "cpu", &device, &observer, &stop);
    assert!(matches!(stopped, Err(EngineError::StoppedEarly)));
    assert!(!run.report().exists());

    // It goes on with its own settings, but for a few.
    let elsewhere = Config::resumed(&run, toml::toml! { feature_cache_dir = "features" }).unwrap();
    assert!(elsewhere.feature_cache_dir.as_ref().unwrap().is_absolute());
    let refused = Config::resumed(&run, toml::toml! { batch = 3 }).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("goes on with its own settings"),
        "{refused}"
    );
}

#[test]
fn detectors_are_compared_in_the_order_of_preference() {
    let names = ["rd4ad", "padim", "probe", "padim"].map(str::to_owned);
    let tables = detectors_named(names.to_vec()).unwrap();
    let names: Vec<_> = tables
        .iter()
        .map(|table| table["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 3);
    assert_eq!(names[2], "rd4ad");
    let preferred = ckaad_engine::comparison::detectors().unwrap();
    let place = |name: &str| {
        preferred
            .iter()
            .position(|table| table["name"].as_str() == Some(name))
    };
    assert!(place(names[0]).unwrap() < place(names[1]).unwrap());
}
