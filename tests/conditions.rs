//! Runs under conditions that machines get into: a full disk, a folder that cannot be written, a clock that was set back, little memory.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::small_run::{images, said, train};
use crate::support::{ckaad, json_lines, process};

/// Runs one of the scripts beside this file where mounts are its own, and says loudly if there can be none.
fn with_mounts(script: &str, folder: &Path) -> Option<Output> {
    let own = |user: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(user).arg("--mount");
        command
    };
    let works = |user: &[&str]| {
        let tried = own(user)
            .args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"])
            .output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let Some(user) = [&[][..], &["--user", "--map-root-user"]]
        .into_iter()
        .find(|user| works(user))
    else {
        // Not by a macro, whose output tests keep to themselves.
        let _ = writeln!(
            std::io::stderr(),
            "\n== SKIPPED: {script}: this user may mount nothing\n"
        );
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/conditions")
        .join(script);
    let mut command = own(user);
    command
        .arg("sh")
        .arg(script)
        .arg(process().get_program())
        .arg(folder);
    Some(command.output().unwrap())
}

/// The parts of a script that it says it has passed.
fn passed(output: &Output, parts: usize) {
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", said(output));
    assert_eq!(
        told.lines().filter(|line| line.starts_with("ok ")).count(),
        parts,
        "{told}"
    );
}

#[test]
fn a_full_disk_leaves_the_last_checkpoint_whole() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path());
    if let Some(output) = with_mounts("disk_full.sh", folder.path()) {
        passed(&output, 4);
    }
}

#[test]
fn a_read_only_folder_is_named_and_nothing_in_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path());
    if let Some(output) = with_mounts("read_only.sh", folder.path()) {
        passed(&output, 5);
    }
}

/// Dates every file of a folder, and of those in it.
fn date(folder: &Path, time: SystemTime) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => date(&path, time),
            false => fs::File::options()
                .append(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap(),
        }
    }
}

/// What a clock that is set back leaves: images, a checkpoint and unfinished files from years to come; or, set forth, from long ago.
#[test]
fn no_result_depends_on_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let root = images(folder.path());
    let run = |name: &str, epochs: &str| {
        let args = train(&root, &folder.path().join(name), &["--epochs", epochs]);
        ckaad().args(args).assert().success();
    };
    run("whole", "3");
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let now = SystemTime::now();
    for (name, time) in [("future", now + 50 * year), ("past", now - 40 * year)] {
        let out = folder.path().join(name);
        date(&root, time);
        run(name, "1");
        let part = out.join("checkpoint/.last.safetensors.aB3dE6.part");
        fs::write(&part, "half").unwrap();
        date(&out, time);
        ckaad()
            .args(["train", "--epochs", "3", "--resume"])
            .arg(&out)
            .assert()
            .success();
        assert!(!part.exists(), "{name}");
        same_models(&folder.path().join("whole"), &out);
        let losses = |run: &str| {
            let log = json_lines(&folder.path().join(run).join("log.jsonl"));
            log.iter()
                .map(|epoch| epoch["total"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(losses("whole"), losses(name));
        assert!(
            json_lines(&out.join("log.jsonl"))
                .iter()
                .all(|epoch| epoch["seconds"].as_f64().unwrap() >= 0.0)
        );
    }
}

/// What stands behind the header of a file of tensors.
fn tensors(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    bytes[8 + length..].to_vec()
}

/// The models of two runs are the same, bit for bit. Headers may differ: the last epoch's model says how many epochs it has of, and the
/// configuration says so, too.
fn same_models(undisturbed: &Path, found: &Path) {
    for file in [
        "model.safetensors",
        "checkpoint/best-on-validation.safetensors",
    ] {
        assert!(
            tensors(&undisturbed.join(file)) == tensors(&found.join(file)),
            "{}: {file}",
            found.display()
        );
    }
}

/// With too little memory the program ends, by an error or by the system's hand, between any two of its files. Each of them stays whole, so that
/// with more memory the run goes on and ends as an undisturbed one.
#[cfg(target_os = "linux")]
#[test]
fn little_memory_leaves_the_last_checkpoint_whole() {
    let folder = tempfile::tempdir().unwrap();
    let root = images(folder.path());
    let [whole, out] = ["whole", "run"].map(|name| folder.path().join(name));
    for (run, epochs) in [(&whole, "2"), (&out, "1")] {
        let args = train(&root, run, &["--epochs", epochs]);
        ckaad().args(args).assert().success();
    }
    let mut failed = 0;
    // MiB of address space.
    for limit in [20, 40, 60, 80, 100, 120] {
        let script = format!("ulimit -v {}; exec \"$0\" \"$@\"", limit << 10);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(process().get_program());
        command
            .args(["train", "--threads", "1", "--epochs", "2", "--resume"])
            .arg(&out);
        if command.output().unwrap().status.success() {
            break;
        }
        failed += 1;
    }
    assert!(failed > 0, "20 MiB were enough");
    // No later command mends a damaged file: this one would refuse it.
    ckaad()
        .args(["train", "--epochs", "2", "--resume"])
        .arg(&out)
        .assert()
        .success();
    assert_eq!(json_lines(&out.join("log.jsonl")).len(), 2);
    same_models(&whole, &out);
}
