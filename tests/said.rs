//! What commands and their errors say, as it was looked at.

use std::path::Path;

use crate::golden;
use crate::small_run::{images, train};
use crate::support::process;

/// What was typed, what came on standard output and standard error, and the exit status.
struct Session<'a> {
    folder: &'a Path,
    text: String,
}

impl<'a> Session<'a> {
    fn new(folder: &'a Path) -> Self {
        let text = String::new();
        Self { folder, text }
    }

    fn run(&mut self, line: &str) -> &mut Self {
        let words = line.split(' ').skip(1);
        let output = process()
            .current_dir(self.folder)
            .args(words)
            // No weights of this user.
            .env("HOME", self.folder)
            .env("XDG_CACHE_HOME", self.folder)
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let said = |bytes: &[u8]| golden::masked(&String::from_utf8_lossy(bytes), self.folder);
        self.text += &format!("$ {line}\n");
        for (stream, bytes) in [("out", &output.stdout), ("err", &output.stderr)] {
            for line in said(bytes).lines() {
                self.text += format!("{stream} | {line}").trim_end();
                self.text += "\n";
            }
        }
        self.text += &format!("exit status {}\n\n", output.status.code().unwrap());
        self
    }

    fn is_as(&self, name: &str) {
        golden::compare(
            &format!("tests/golden/said/{name}.txt"),
            self.text.trim_end(),
        );
    }
}

/// The arguments of a run that takes a moment, as one types them.
fn typed(more: &str) -> String {
    let args = train(Path::new("data"), Path::new("run"), &[]);
    format!("ckaad {} {more}", args.join(" "))
        .trim_end()
        .to_owned()
}

#[test]
fn golden_work() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path());
    let learn = typed("--epochs 2");
    Session::new(folder.path())
        .run(&learn)
        .run(&learn)
        .run("ckaad train --resume run --seed 3")
        .run("ckaad train --resume nowhere")
        .is_as("train");
    Session::new(folder.path())
        .run("ckaad report run")
        .run("ckaad evaluate run --controls")
        .run("ckaad evaluate run --test nowhere --out results")
        .run("ckaad evaluate data")
        .is_as("evaluate");
    Session::new(folder.path())
        .run("ckaad report run --plots plots")
        .run("ckaad report run --json")
        .run("ckaad report run run")
        .run("ckaad report data")
        .run("ckaad report . --out runs.html")
        .is_as("report");
    Session::new(folder.path())
        .run("ckaad predict run data/weave/test/good --out predicted")
        .run("ckaad predict run data/weave/test/good --out predicted")
        .run("ckaad predict run data/weave/test/good --out run")
        .run("ckaad predict run data/weave/test/good --out flagged --threshold 0.5 --regions")
        .run("ckaad predict run data/weave/test/good --out promised --alpha 0.1")
        .run("ckaad predict run nothing.png --out other")
        .is_as("predict");
    std::fs::write(folder.path().join("broken.png"), "no picture").unwrap();
    Session::new(folder.path())
        .run("ckaad predict run broken.png data/weave/test/good --out unread")
        .run(
            "ckaad predict run broken.png data/weave/test/good --out unread --overwrite --skip-bad",
        )
        .is_as("predict-unreadable");
    let compare = typed("--detectors gaussian,padim").replace("train ", "compare ");
    let compare = compare.replace("--out run", "--out compared");
    Session::new(folder.path())
        .run(&compare)
        .run("ckaad report compared")
        .is_as("compare");
}

#[test]
fn golden_lists() {
    let folder = tempfile::tempdir().unwrap();
    Session::new(folder.path())
        .run("ckaad devices")
        .run("ckaad weights list")
        .run("ckaad weights path resnet18")
        .run("ckaad datasets list")
        .run("ckaad datasets synth br35h stand-in")
        .run("ckaad datasets check br35h stand-in")
        .is_as("lists");
}

#[test]
fn golden_wrong_settings() {
    let folder = tempfile::tempdir().unwrap();
    images(folder.path());
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    std::fs::create_dir(folder.path().join("ckaad-demo")).unwrap();
    std::fs::write(folder.path().join("typo.toml"), "batsh = 3\n").unwrap();
    Session::new(folder.path())
        .run("ckaad")
        .run("ckaad train")
        .run("ckaad trian")
        .run(&typed("--detector probes"))
        .run(&typed("--config typo.toml"))
        .run(&typed("--set image_size=100"))
        .run(&typed("--set detector.gamma=2.0"))
        .run(&typed("--detector probe --set detector.coreset=0.5"))
        .run(&typed("--set gamma=0.5"))
        .run(&typed("--device gpu"))
        .run(&typed("--device cuda:7"))
        .run("ckaad train --normal nowhere --out other --random-features")
        .run("ckaad train --normal empty --out other --random-features")
        .run("ckaad train --normal data/weave/train/good --out other --random-features --detector probe --anomalies labelled")
        .run("ckaad train --layout mvtec-ad --data data --category weft --out another --random-features")
        .run("ckaad demo")
        .is_as("wrong");
}
