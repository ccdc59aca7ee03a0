//! Ctrl-C while training.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use ckaad_data::{SynthSize, synth_demo};

use crate::support::{process, synthetic, train_args};

/// A program under way. It ends with the test, however that ends.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(args: Vec<String>) -> Self {
        let mut child = process()
            .args(args)
            .env("CKAAD_LOG", "ckaad=debug")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Waits until it says that.
    fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let read = self.stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended without saying \"{text}\"");
        }
    }

    fn press_ctrl_c(&self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end: the exit status, and what it said since.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// So many large images that reading them takes many times longer than it takes a signal to arrive.
#[test]
fn while_images_are_read_it_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let size = SynthSize {
        side: 1024,
        train_normal: 1,
        train_anomalous: 1,
        test_normal: 1,
        test_anomalous: 1,
    };
    synth_demo(&root, 3, size).unwrap();
    let good = root.join("weave/train/good");
    let image = std::fs::read_dir(&good).unwrap().next().unwrap();
    let image = image.unwrap().path();
    for copy in 0..3000 {
        std::fs::hard_link(&image, good.join(format!("copy-{copy}.png"))).unwrap();
    }
    let out = folder.path().join("run");
    let mut args = train_args(&root, &out);
    args.extend(["--threads", "1", "--method", "recon"].map(str::to_owned));

    let mut running = Running::start(args);
    running.wait_for("reading images");
    running.press_ctrl_c();
    let (status, said) = running.end();
    assert_eq!(status, Some(130), "{said}");
    assert!(said.contains("nothing of a run is lost"), "{said}");
    assert!(!out.exists());
}

#[test]
fn while_training_it_ends_after_the_step_with_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let out = folder.path().join("run");
    let mut args = train_args(&root, &out);
    args.extend(["--epochs", "1000"].map(str::to_owned));

    let mut running = Running::start(args);
    running.wait_for("epoch 1/1000: total");
    running.press_ctrl_c();
    let (status, said) = running.end();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("stopping after the step or epoch"), "{said}");
    assert!(said.contains("go on by: ckaad train --resume"), "{said}");
    assert!(out.join("checkpoint/last.safetensors").is_file());
    assert!(!out.join("model.safetensors").exists());
}
