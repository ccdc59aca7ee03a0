//! A reader that goes away, as `head` does once it has its lines.

use std::io::PipeWriter;
use std::process::{Command, Stdio};

use crate::support::{process, synthetic, train_args};

/// A pipe that nobody reads.
fn unread() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// Runs with nobody reading standard output: the exit status and what was said on standard error.
fn run(command: &mut Command) -> (Option<i32>, String) {
    let output = command
        .stdout(unread())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{command:?}: {said}");
    (output.status.code(), said)
}

#[test]
fn lists_nobody_reads_end_quietly() {
    for args in [
        "weights list",
        "weights list --json",
        "datasets list",
        "datasets list --json",
        "devices",
        "--help",
        "train --help",
        "--version",
    ] {
        let (status, said) = run(process().args(args.split(' ')));
        assert_eq!((status, said.as_str()), (Some(0), ""), "{args}");
    }
}

/// What a command found out is its exit status, whoever reads the rest.
#[test]
fn the_exit_status_stays() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let (status, said) = run(process().args(["datasets", "synth", "br35h"]).arg(&copy));
    assert_eq!((status, said.as_str()), (Some(0), ""));
    let (status, said) = run(process().args(["datasets", "check", "br35h"]).arg(&copy));
    assert_eq!(status, Some(1));
    assert!(said.contains("is not as published"), "{said}");
}

/// Training says how far it is on standard error; hours of it must not end with the reader of that.
#[test]
fn training_goes_on_with_nobody_listening() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let out = folder.path().join("run");
    let command = |args: Vec<String>| {
        process()
            .args(args)
            .env("CKAAD_LOG", "debug")
            .stdout(unread())
            .stderr(unread())
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(command(train_args(&root, &out)), Some(0));
    assert!(out.join("model.safetensors").is_file());
    // Refused, since the folder is there now.
    assert_eq!(command(train_args(&root, &out)), Some(1));
}
