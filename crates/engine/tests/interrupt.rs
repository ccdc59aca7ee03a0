//! A run that is stopped in the middle of an epoch and gone on with.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ckaad_data::{Layout, SynthSize, synth_demo};
use ckaad_engine::config::DataConfig;
use ckaad_engine::training::{EpochRecord, Event};
use ckaad_engine::{
    ActiveRun, CheckedConfig, Config, Outcome, Overrides, TrainContext, resume, train,
};

/// Trains into `out`; stops after `stop_after` steps of the first epoch if given, then goes on.
fn run(config: &CheckedConfig, out: &Path, stop_after: Option<usize>) {
    let device = ckaad_device::cpu();
    let backbone = config
        .backbone_config()
        .unwrap()
        .random(config.seed, &device);
    let stop = AtomicBool::new(false);
    let observer = |event: Event<'_>| {
        if let Event::Progress { what, done, .. } = event
            && what.starts_with("epoch 1/")
            && Some(done + 1) == stop_after
        {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let with = TrainContext {
        backbone: &backbone,
        weights: "random",
        device: &device,
        observer: &observer,
        stop: &stop,
    };
    let outcome = train(config, out, with).unwrap();
    if stop_after.is_none() {
        assert_eq!(outcome, Outcome::Finished);
        return;
    }
    assert_eq!(outcome, Outcome::Stopped);
    stop.store(false, Ordering::Relaxed);
    let folder = ActiveRun::open(out).unwrap();
    let quiet = TrainContext {
        observer: &|_| {},
        ..with
    };
    assert_eq!(resume(config, &folder, quiet).unwrap(), Outcome::Finished);
}

fn log(out: &Path) -> Vec<EpochRecord> {
    let text = std::fs::read_to_string(out.join("log.jsonl")).unwrap();
    text.lines()
        .map(|line| EpochRecord {
            seconds: 0.0,
            ..serde_json::from_str(line).unwrap()
        })
        .collect()
}

#[test]
fn nothing_is_lost_and_nothing_done_twice() {
    let folder = tempfile::tempdir().unwrap();
    let size = SynthSize {
        side: 64,
        train_normal: 12,
        train_anomalous: 8,
        test_normal: 4,
        test_anomalous: 4,
    };
    let data = folder.path().join("data");
    synth_demo(&data, 3, size).unwrap();
    for norm in ["instance", "batch"] {
        let overrides = Overrides {
            table: toml::toml! {
                image_size = 64
                batch = 2
                epochs = 2
                features = "random"
                detector = { norm = norm }
            },
            data: DataConfig {
                layout: Some(Layout::MvtecAd),
                category: Some("weave".to_owned()),
                root: Some(data.clone()),
                ..DataConfig::default()
            },
            ..Overrides::default()
        };
        let config = Config::resolve(None, overrides).unwrap();
        let (whole, parts) = (
            folder.path().join(format!("{norm}-whole")),
            folder.path().join(format!("{norm}-parts")),
        );
        run(&config, &whole, None);
        run(&config, &parts, Some(3));
        let model = |out: &Path| std::fs::read(out.join("model.safetensors")).unwrap();
        assert!(model(&whole) == model(&parts), "{norm}: the model differs");
        assert_eq!(log(&whole), log(&parts), "{norm}");
    }
}

#[test]
fn a_run_whose_folder_is_gone_ends_and_does_not_make_it_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let size = SynthSize {
        side: 32,
        train_normal: 4,
        train_anomalous: 4,
        test_normal: 2,
        test_anomalous: 2,
    };
    synth_demo(&data, 3, size).unwrap();
    let overrides = Overrides {
        table: toml::toml! {
            stages = [1]
            image_size = 32
            batch = 4
            epochs = 2
            features = "random"
            detector = { norm = "batch" }
        },
        data: DataConfig {
            layout: Some(Layout::MvtecAd),
            category: Some("weave".to_owned()),
            root: Some(data),
            ..DataConfig::default()
        },
        ..Overrides::default()
    };
    let config = Config::resolve(None, overrides).unwrap();
    let device = ckaad_device::cpu();
    let backbone = config.backbone_config().unwrap();
    let out = folder.path().join("run");
    let observer = |event: Event<'_>| {
        if matches!(event, Event::Progress { what, .. } if what.starts_with("epoch 2/")) {
            std::fs::remove_dir_all(&out).unwrap();
        }
    };
    let with = TrainContext {
        backbone: &backbone.random(config.seed, &device),
        weights: "random",
        device: &device,
        observer: &observer,
        stop: &AtomicBool::new(false),
    };
    let said = train(&config, &out, with).unwrap_err().to_string();
    assert!(said.contains("no config.toml"), "{said}");
    assert!(!out.exists());
}
