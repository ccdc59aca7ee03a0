//! Runs that are killed, and gone on with: they end as if nothing had happened.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ckaad_data::{SynthSize, synth_demo};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::support::{json_lines, process};

/// How a process is ended.
#[derive(Clone, Copy, Debug)]
enum Signal {
    Kill,
    Terminate,
    Interrupt,
}

impl Signal {
    fn send(self, child: &mut Child) {
        let name = match self {
            // The process may be over already.
            Self::Kill => return drop(child.kill()),
            Self::Terminate => "-TERM",
            Self::Interrupt => "-INT",
        };
        let id = child.id().to_string();
        let _ = Command::new("kill")
            .args([name, &id])
            .stderr(Stdio::null())
            .status();
    }
}

/// A run with its data.
struct Scenario {
    folder: tempfile::TempDir,
    settings: Vec<String>,
}

impl Scenario {
    fn new(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let size = SynthSize {
            side: 32,
            train_normal: 8,
            train_anomalous: 6,
            test_normal: 4,
            test_anomalous: 4,
        };
        synth_demo(&folder.path().join("data"), 3, size).unwrap();
        Self {
            folder,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
        }
    }

    fn path(&self, run: &str) -> PathBuf {
        self.folder.path().join(run)
    }

    /// Starts the run, or goes on with it once it is one.
    fn start(&self, out: &Path) -> Child {
        let mut command = process();
        if out.join("config.toml").is_file() {
            command.arg("train").arg("--resume").arg(out);
        } else {
            let fixed = "train --layout mvtec-ad --category weave --image-size 32 --batch 2 --random-features --seed 5 --set stages=[1] --data";
            command.args(fixed.split(' ')).arg(self.path("data"));
            command.arg("--out").arg(out).args(&self.settings);
        }
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn finish(&self, run: &str) -> Files {
        let out = self.path(run);
        assert!(self.start(&out).wait().unwrap().success(), "{run}");
        let left = walk(&out);
        assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
        let without_times = |mut record: Value| {
            record.as_object_mut().unwrap().remove("seconds");
            record
        };
        Files {
            models: [
                "model.safetensors",
                "checkpoint/best-on-validation.safetensors",
            ]
            .map(|name| std::fs::read(out.join(name)).unwrap()),
            log: json_lines(&out.join("log.jsonl"))
                .into_iter()
                .map(without_times)
                .collect(),
            split: std::fs::read(out.join("split.json")).unwrap(),
        }
    }

    /// Ends the run at `times` moments drawn from the seed, each in the process that goes on from the one before, then finishes it. Returns how
    /// many of them ended it.
    fn disturbed(
        &self,
        run: &str,
        signal: Signal,
        times: usize,
        seed: u64,
        whole: &Undisturbed,
    ) -> usize {
        let mut moments = ChaCha8Rng::seed_from_u64(seed);
        let mut ended = 0;
        for _ in 0..times {
            let mut child = self.start(&self.path(run));
            let moment = whole.took.mul_f64(moments.random_range(0.0..0.8));
            std::thread::sleep(moment);
            signal.send(&mut child);
            ended += usize::from(!child.wait().unwrap().success());
        }
        let files = self.finish(run);
        assert!(
            files.models == whole.files.models,
            "{run}: another model, {signal:?}, seed {seed}"
        );
        assert_eq!(files.log, whole.files.log, "{run}: {signal:?}, seed {seed}");
        assert!(files.split == whole.files.split, "{run}: another split");
        std::fs::remove_dir_all(self.path(run)).unwrap();
        ended
    }
}

/// What a run leaves behind.
struct Files {
    models: [Vec<u8>; 2],
    log: Vec<Value>,
    split: Vec<u8>,
}

struct Undisturbed {
    files: Files,
    took: Duration,
}

fn walk(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => names.extend(walk(&path)),
            path => names.push(path.display().to_string()),
        }
    }
    names
}

/// Twenty moments of SIGKILL, five each of SIGTERM and SIGINT; in most of them the process is one that goes on with the run.
fn survives(settings: &[&str]) {
    let scenario = Scenario::new(settings);
    let clock = Instant::now();
    let files = scenario.finish("undisturbed");
    let whole = Undisturbed {
        files,
        took: clock.elapsed(),
    };
    let mut ended = 0;
    for seed in 0..5 {
        ended += scenario.disturbed(&format!("killed-{seed}"), Signal::Kill, 4, seed, &whole);
    }
    ended += scenario.disturbed("terminated", Signal::Terminate, 5, 5, &whole);
    ended += scenario.disturbed("interrupted", Signal::Interrupt, 5, 6, &whole);
    // The others came when the run was over.
    assert!(ended >= 10, "only {ended} of 30 signals ended the run");
}

#[test]
fn ckaad_with_labelled_images() {
    survives(&["--epochs", "6", "--set", "detector.norm=\"batch\""]);
}

#[test]
fn ckaad_with_elastic_anomalies() {
    survives(&[
        "--epochs",
        "6",
        "--anomalies",
        "elastic",
        "--set",
        "detector.schedule=\"cosine\"",
    ]);
}

#[test]
fn a_system_that_learns_in_one_pass() {
    survives(&["--detector", "gaussian"]);
}

#[test]
fn a_system_that_learns_in_epochs() {
    survives(&["--detector", "fastflow", "--epochs", "6"]);
}
