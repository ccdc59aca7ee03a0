//! Features that are kept: wherever they lie, the run is the same.

use std::path::Path;

use crate::support::{ckaad, json_lines, synthetic, train_args};

/// Trains with the given settings and hands over the model and the losses.
fn train(root: &Path, run: &Path, settings: &[String]) -> (Vec<u8>, Vec<f64>) {
    let mut command = ckaad();
    command.args(train_args(root, run));
    for setting in settings {
        command.args(["--set", setting]);
    }
    command.assert().success();
    let model = std::fs::read(run.join("model.safetensors")).unwrap();
    (model, losses(run))
}

fn losses(run: &Path) -> Vec<f64> {
    let epochs = json_lines(&run.join("log.jsonl"));
    let total = |epoch: &serde_json::Value| epoch["total"].as_f64().unwrap();
    epochs.iter().map(total).collect()
}

/// The weights in a model file; the header before them names the settings, which differ.
fn weights(model: &[u8]) -> &[u8] {
    let length = u64::from_le_bytes(*model.first_chunk().unwrap()) as usize;
    &model[8 + length..]
}

#[test]
fn kept_or_not_the_run_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let cache = folder.path().join("cache");
    let lasting = format!("feature_cache_dir={:?}", cache.to_str().unwrap());
    let run = |name: &str, settings: &[&str]| {
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        train(&root, &folder.path().join(name), &settings)
    };
    let memory = run("memory", &[]);
    let anew = run("anew", &["feature_cache_mib=0"]);
    let filling = run("filling", &[&lasting]);
    let files = || std::fs::read_dir(&cache).unwrap().count();
    let kept = files();
    // 12 + 8 training images, validation among them.
    assert_eq!(kept, 20);
    // One file is not whole: it is noticed and made again.
    let one = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap();
    std::fs::write(one.path(), b"short").unwrap();
    let found = run("found", &[&lasting]);
    assert_eq!(files(), kept);
    let length = std::fs::metadata(one.path()).unwrap().len();
    assert!(length > 5);
    // Of the right length, but not what was written.
    std::fs::write(one.path(), vec![0; length as usize]).unwrap();
    let zeroed = run("zeroed", &[&lasting]);
    assert!(
        std::fs::read(one.path())
            .unwrap()
            .iter()
            .any(|&byte| byte != 0)
    );
    for (name, (model, losses)) in [
        ("anew", &anew),
        ("filling", &filling),
        ("found", &found),
        ("zeroed", &zeroed),
    ] {
        assert_eq!(&memory.1, losses, "{name}");
        assert!(weights(&memory.0) == weights(model), "{name} differs");
    }

    // Half precision has names of its own, and changes the result a little.
    let (_, half) = run("half", &[&lasting, "feature_precision=\"f16\""]);
    assert_eq!(files(), 2 * kept);
    assert_ne!(memory.1, half);
    for (full, half) in memory.1.iter().zip(&half) {
        assert!((full - half).abs() < 1e-2 * full.abs(), "{full} {half}");
    }

    // So have other instructions, which round differently.
    let mut portable = ckaad();
    portable
        .env("CKAAD_CONV_ISA", "portable")
        .args(train_args(&root, &folder.path().join("portable")))
        .args(["--set", &lasting]);
    portable.assert().success();
    let simd = std::arch::is_x86_feature_detected!("avx2");
    assert_eq!(files(), if simd { 3 * kept } else { 2 * kept });
}

#[test]
fn what_does_not_fit_in_memory_goes_to_disk() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let larger = "image_size=128";
    let (memory, expected) = train(&root, &folder.path().join("memory"), &[larger.to_owned()]);
    // 192 KiB an image: neither the labelled nor the normal ones fit.
    let mut command = ckaad();
    let run = folder.path().join("disk");
    command
        .env("TMPDIR", &temporary)
        .args(train_args(&root, &run))
        .args(["--set", larger, "--set", "feature_cache_mib=1"])
        .assert()
        .success();
    assert_eq!(expected, losses(&run));
    let disk = std::fs::read(run.join("model.safetensors")).unwrap();
    assert!(weights(&memory) == weights(&disk));
    assert_eq!(
        std::fs::read_dir(&temporary).unwrap().count(),
        0,
        "left behind"
    );
}
