//! Going on with a run, and running twice.

use std::path::Path;

use ckaad_files::FolderLock;

use crate::support::{ckaad, process, synthetic, train_args};

/// What `train --resume RUN` says when it is refused.
fn refused(run: &Path, more: &[&str]) -> String {
    let mut command = ckaad();
    command.args(["train", "--resume"]).arg(run).args(more);
    let output = command.assert().failure();
    String::from_utf8_lossy(&output.get_output().stderr).into_owned()
}

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
fn an_edited_seed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    ckaad().args(train_args(&root, &run)).assert().success();
    // Random features follow from the seed: another seed is another backbone, too, but not what was edited.
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
    assert!(
        error.contains("it was made with seed = 5, and config.toml says seed = 6"),
        "{error}"
    );
}

#[test]
fn what_is_refused_leaves_the_run_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    ckaad().args(train_args(&root, &run)).assert().success();
    let files = || {
        [
            "config.toml",
            "log.jsonl",
            "model.safetensors",
            "split.json",
        ]
        .map(|name| std::fs::read(run.join(name)).unwrap())
    };
    let before = files();
    let cache = format!("feature_cache_dir={:?}", folder.path().join("cache"));
    for (more, expected) in [
        (&["--epochs", "0"][..], "epochs = 0: must be at least 1"),
        (&["--epochs", "1"], "epochs = 1: the run has done 2 already"),
        (
            &["--set", "feature_cache_mib=0", "--set", &cache],
            "has no effect with feature_cache_mib = 0",
        ),
        (
            &["--batch", "2"],
            "goes on with its own settings\nhint: --resume takes --epochs",
        ),
        (
            &["--set", "detector.lambda=1.0"],
            "goes on with its own settings\nhint: --resume takes --epochs",
        ),
    ] {
        let said = refused(&run, more);
        assert!(said.contains(expected), "{more:?}: {said}");
        assert!(files() == before, "{more:?} changed the run");
    }
    ckaad().arg("evaluate").arg(&run).assert().success();
    ckaad()
        .args(["train", "--resume"])
        .arg(&run)
        .assert()
        .success();
    assert!(files() == before, "there was nothing left to do");
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    ckaad().args(train_args(&root, &run)).assert().success();
    let lock = FolderLock::take(&run).unwrap();
    let said = refused(&run, &["--epochs", "3"]);
    assert!(said.contains("in use"), "{said}");
    drop(lock);
    ckaad()
        .args(["train", "--epochs", "3", "--resume"])
        .arg(&run)
        .assert()
        .success();

    let new = folder.path().join("new");
    let start = || {
        let mut command = process();
        command.args(train_args(&root, &new));
        command.stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let both = [start(), start()];
    let succeeded = both.map(|mut process| process.wait().unwrap().success());
    assert_eq!(succeeded.iter().filter(|&&done| done).count(), 1);
    let log = std::fs::read_to_string(new.join("log.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
}
