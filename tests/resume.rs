//! Going on with a run, and running twice.

use crate::support::{ckaad, synthetic, train_args};

#[test]
fn the_same_seed_gives_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let models: Vec<Vec<u8>> = ["a", "b"]
        .iter()
        .map(|name| {
            let run = folder.path().join(name);
            ckaad().args(train_args(&root, &run)).assert().success();
            std::fs::read(run.join("model.safetensors")).unwrap()
        })
        .collect();
    assert!(models[0] == models[1], "two runs with the same seed differ");
}

/// A run that ends after one epoch and goes on equals one that was never interrupted.
#[test]
fn going_on_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let whole = folder.path().join("whole");
    ckaad()
        .args(train_args(&root, &whole))
        .args(["--epochs", "3"])
        .assert()
        .success();

    let halves = folder.path().join("halves");
    ckaad()
        .args(train_args(&root, &halves))
        .args(["--epochs", "1"])
        .assert()
        .success();
    ckaad()
        .arg("train")
        .arg("--resume")
        .arg(&halves)
        .args(["--epochs", "3"])
        .assert()
        .success();

    let model = |run: &std::path::Path| std::fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(&whole) == model(&halves), "the resumed run differs");
    let epochs = |run: &std::path::Path| {
        std::fs::read_to_string(run.join("log.jsonl"))
            .unwrap()
            .lines()
            .count()
    };
    assert_eq!((epochs(&whole), epochs(&halves)), (3, 3));
}

#[test]
fn other_backbone_weights_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    ckaad().args(train_args(&root, &run)).assert().success();
    // Random features follow from the seed: another seed is another backbone.
    let config = run.join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("seed = 5"));
    std::fs::write(&config, text.replace("seed = 5", "seed = 6")).unwrap();
    let output = ckaad()
        .args(["train", "--epochs", "3", "--resume"])
        .arg(&run)
        .assert()
        .failure();
    let error = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(error.contains("other backbone weights"), "{error}");
}
