//! What happens to a run when its disk, its files or its settings are not what they should be.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::small_run::{finished, images, said, train};
use crate::support::{ckaad, json, process};

#[track_caller]
fn refused<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>, parts: &[&str]) -> Output {
    let output = ckaad().args(args).output().unwrap();
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    for part in parts {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    output
}

#[test]
fn absurd_settings_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (images(folder.path()), folder.path().join("run"));
    for (setting, limit) in [
        ("image_size=65536", "must be at most 2048"),
        ("image_size=4294967296", "must be at most 2048"),
        ("image_size=2305843009213693952", "must be at most 2048"),
        ("batch=4294967296", "at most 4096"),
        ("epochs=4294967296", "at most 1000000"),
        ("elastic.sigma=1e308", "to 1000"),
        ("elastic.sigma=nan", "to 1000"),
        ("elastic.alpha=1e308", "to 1000000"),
        ("detector.margin=1e308", "at most 1000000"),
        ("detector.learning_rate=nan", "must be a positive number"),
        ("detector.lambda=inf", "must be a number of at least 0"),
    ] {
        let output = refused(train(&root, &out, &["--set", setting]), &[limit]);
        assert_eq!(output.status.code(), Some(2), "{setting}");
    }
    let output = refused(train(&root, &out, &["--threads", "100000"]), &["1..=1024"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!out.exists());
}

#[test]
fn a_run_that_diverges_says_where_and_keeps_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (images(folder.path()), folder.path().join("run"));
    let settings = [
        "--epochs",
        "1",
        "--set",
        "detector.discriminator_learning_rate=1e6",
    ];
    // The first epoch may pass, as losses are computed before what they change.
    let first = ckaad()
        .args(train(&root, &out, &settings))
        .output()
        .unwrap();
    let checkpoint = out.join("checkpoint/last.safetensors");
    let before = fs::read(&checkpoint).ok();
    let output = match first.status.success() {
        true => {
            let more = ["train", "--epochs", "9", "--resume"];
            ckaad().args(more).arg(&out).output().unwrap()
        }
        false => first,
    };
    let said = said(&output);
    assert!(!output.status.success(), "{said}");
    for part in ["became", "in epoch", "step", "weave/train/", "checkpoint"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    if before.is_some() {
        assert!(said.contains("the last good checkpoint is"), "{said}");
    }
    assert!(!out.join("model.safetensors").exists() || before.is_some());
    for line in fs::read_to_string(out.join("log.jsonl")).unwrap().lines() {
        assert!(!line.contains("null"), "{line}");
    }
}

/// A file that may not grow further is what a full disk is: the write fails.
#[cfg(unix)]
#[test]
fn a_write_that_fails_leaves_the_last_checkpoint_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (images(folder.path()), folder.path().join("run"));
    ckaad()
        .args(train(&root, &out, &["--epochs", "1"]))
        .assert()
        .success();
    let files = ["checkpoint/last.safetensors", "model.safetensors"];
    let read = || files.map(|name| fs::read(out.join(name)).unwrap());
    let before = read();
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -f 64 && exec \"$0\" \"$@\""]);
    limited
        .arg(process().get_program())
        .args(["train", "--epochs", "2", "--resume"])
        .arg(&out);
    let output = limited.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains(".safetensors") && said.contains("cannot write the file"),
        "{said}"
    );
    assert!(read() == before);
    let left = fs::read_dir(out.join("checkpoint")).unwrap().flatten();
    assert_eq!(
        left.filter(|entry| entry.path().extension().is_some_and(|e| e == "part"))
            .count(),
        0
    );
    ckaad()
        .args(["train", "--epochs", "2", "--resume"])
        .arg(&out)
        .assert()
        .success();
}

#[test]
fn what_killed_processes_left_is_removed_or_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = finished(folder.path());
    let parts = [
        ".model.safetensors.aB3dE6.part",
        "checkpoint/.last.safetensors.aB3dE6.part",
    ];
    let own = run.join(".mine.part");
    for part in parts.map(|part| run.join(part)).iter().chain([&own]) {
        fs::write(part, "half").unwrap();
    }
    ckaad()
        .args(["train", "--resume"])
        .arg(&run)
        .assert()
        .success();
    assert!(parts.iter().all(|part| !run.join(part).exists()));
    assert!(own.exists());

    // Killed before it had a configuration.
    let out = folder.path().join("early");
    fs::create_dir_all(out.join("checkpoint")).unwrap();
    for name in [
        ".lock",
        ".split.json.aB3dE6.part",
        ".config.toml.aB3dE6.part",
    ] {
        fs::write(out.join(name), "").unwrap();
    }
    ckaad()
        .args(train(&root, &out, &["--detector", "gaussian"]))
        .assert()
        .success();
    assert!(!out.join(".split.json.aB3dE6.part").exists());
}

#[test]
fn evaluation_needs_what_belongs_together_and_not_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = finished(folder.path());
    fs::write(run.join("log.jsonl"), b"\xFF\xFE{\n{\"epoch\":\n").unwrap();
    let output = ckaad().arg("evaluate").arg(&run).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("line 1 is damaged"),
        "{}",
        said(&output)
    );

    let config = run.join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("image_size = 32", "image_size = 64")).unwrap();
    let edited = [&b"evaluate"[..], run.to_str().unwrap().as_bytes()];
    let edited = edited.map(|arg| String::from_utf8(arg.to_vec()).unwrap());
    refused(
        &edited,
        &["model.safetensors", "image_size = 32", "image_size = 64"],
    );
    fs::write(&config, &text).unwrap();

    let other = folder.path().join("other");
    let more = ["--detector", "gaussian", "--seed", "6"];
    ckaad().args(train(&root, &other, &more)).assert().success();
    fs::copy(
        other.join("model.safetensors"),
        run.join("model.safetensors"),
    )
    .unwrap();
    refused(&edited, &["model.safetensors", "seed = 6"]);
}

#[test]
fn a_replaced_training_image_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = finished(folder.path());
    let split = json(&run.join("split.json"));
    let of = |list: &str, index: usize| PathBuf::from(split[list][index]["path"].as_str().unwrap());
    assert_eq!(split["normal"][0]["sha256"].as_str().unwrap().len(), 64);
    let image = of("normal", 0);
    assert!(image.starts_with(&root));
    fs::copy(of("test", 0), &image).unwrap();
    let args = ["train".as_ref(), "--resume".as_ref(), run.as_os_str()];
    refused(
        args,
        &[
            image.to_str().unwrap(),
            "not what it was when the run began",
        ],
    );
    // One that is gone is no image to leave out, either.
    fs::remove_file(&image).unwrap();
    refused(args, &[image.to_str().unwrap()]);
}

#[cfg(unix)]
#[test]
fn names_do_nothing_but_name() {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = finished(folder.path());
    let here = folder.path().join("here");
    fs::create_dir(&here).unwrap();
    let good = fs::read_dir(root.join("weave/test/good"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bad = "x\u{1b}[31m\nerror: forged.png";
    fs::write(here.join(bad), "no image").unwrap();
    for name in ["=1+1.png", "-2.png", "@x.png"] {
        fs::copy(&good, here.join(name)).unwrap();
    }
    let predict = |more: &[&str]| {
        let mut command = ckaad();
        command.current_dir(&here).arg("predict").arg(&run);
        command.args(["--out", "../out"]).args(more);
        command
            .args(["--", "=1+1.png", "./-2.png", "@x.png", bad])
            .output()
            .unwrap()
    };
    let output = predict(&[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(text.contains(r"x\u{1b}[31m\nerror: forged.png"), "{text}");
    assert!(
        !text.lines().any(|line| line.starts_with("error: forged")),
        "{text}"
    );
    let table = fs::read_to_string(folder.path().join("out/predictions.csv")).unwrap();
    assert!(
        table.contains("\n'=1+1.png,") && table.contains("\n'@x.png,"),
        "{table}"
    );
    assert!(table.contains("\n./-2.png,"), "{table}");
    // The files that the table names are found again.
    let output = predict(&["--overwrite", "--no-heatmaps"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let left: Vec<_> = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
