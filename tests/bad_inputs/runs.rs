use std::fs;

use ckaad_files::FolderLock;
use ckaad_parameters::Seal;
use serde_json::{Value, json};

use super::bench::Bench;

const CHECKPOINT: Seal = Seal {
    key: "ckaad_checkpoint",
    version: 1,
};
const LAST: &str = "r/checkpoint/last.safetensors";

/// A fresh copy `r` of the run, changed, and given to the program to go on with.
fn resumed(bench: &mut Bench, what: &str, change: impl FnOnce(&Bench)) {
    bench.copy_folder("run", "r");
    change(bench);
    bench.refused(what, "train --resume r", &[]);
}

/// The same, to evaluate.
pub(super) fn evaluated(bench: &mut Bench, what: &str, change: impl FnOnce(&Bench)) {
    bench.copy_folder("run", "r");
    change(bench);
    bench.refused(what, "evaluate r", &["r/report.json"]);
}

fn config(bench: &Bench, from: &str, to: &str) {
    let text = String::from_utf8(bench.read("r/config.toml")).unwrap();
    assert!(text.contains(from), "{text}");
    bench.write("r/config.toml", text.replace(from, to));
}

/// The checkpoint as somebody who can seal it would change it.
fn forge(bench: &Bench, change: impl FnOnce(&mut Value)) {
    let file = CHECKPOINT.read(&bench.at(LAST)).unwrap();
    let mut info: Value = file.info().unwrap();
    change(&mut info);
    let tensors = file.tensors().unwrap();
    bench.write(LAST, CHECKPOINT.to_bytes(tensors.iter(), &info).unwrap());
}

pub(super) fn cases(bench: &mut Bench) {
    checkpoints(bench);
    configurations(bench);
    images(bench);
    folders(bench);
}

fn checkpoints(bench: &mut Bench) {
    let whole = bench.read("run/checkpoint/last.safetensors");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let later = Seal {
        version: 2,
        ..CHECKPOINT
    };
    let tensors: [(&str, safetensors::tensor::TensorView<'_>); 0] = [];
    let later = later.to_bytes(tensors, &json!({})).unwrap();
    let model = bench.read("run/model.safetensors");
    for (what, bytes) in [
        ("an empty checkpoint", Vec::new()),
        ("half a checkpoint", whole[..whole.len() / 2].to_vec()),
        (
            "a checkpoint with one bit flipped",
            flipped(whole.len() - 1000),
        ),
        (
            "a checkpoint with one bit flipped in the header",
            flipped(300),
        ),
        ("a checkpoint of a later version", later),
        ("the model in place of the checkpoint", model),
    ] {
        resumed(bench, what, |bench| bench.write(LAST, bytes));
    }
    resumed(bench, "a checkpoint of 2^63 epochs, sealed", |bench| {
        forge(bench, |info| {
            info["position"]["epochs"] = json!(1_u64 << 63)
        });
    });
    resumed(
        bench,
        "a checkpoint of steps that were not summed, sealed",
        |bench| {
            forge(bench, |info| info["position"]["steps"] = json!(1_u64 << 60));
        },
    );
    resumed(bench, "a checkpoint of other images, sealed", |bench| {
        forge(bench, |info| info["origin"]["images"] = json!("0"));
    });
    resumed(bench, "a checkpoint of other weights, sealed", |bench| {
        forge(bench, |info| info["origin"]["weights"] = json!("0"));
    });
}

fn configurations(bench: &mut Bench) {
    resumed(
        bench,
        "a configuration edited to another image size",
        |bench| config(bench, "image_size = 32", "image_size = 64"),
    );
    resumed(bench, "a configuration edited to another seed", |bench| {
        config(bench, "seed = 5", "seed = 6")
    });
    resumed(bench, "a configuration with a misspelt key", |bench| {
        config(bench, "image_size", "image_sice")
    });
    resumed(bench, "a configuration of an absurd size", |bench| {
        config(bench, "image_size = 32", "image_size = 9223372036854775807")
    });
    resumed(bench, "a configuration that is cut off", |bench| {
        let text = String::from_utf8(bench.read("r/config.toml")).unwrap();
        let (before, _) = text.split_once("\nalpha = ").unwrap();
        bench.write("r/config.toml", format!("{before}\nalpha ="));
    });
    resumed(bench, "a configuration that is not UTF-8", |bench| {
        bench.write("r/config.toml", b"seed = \xFF")
    });
    resumed(bench, "no configuration", |bench| {
        fs::remove_file(bench.at("r/config.toml")).unwrap()
    });
    evaluated(
        bench,
        "a configuration edited to another image size",
        |bench| config(bench, "image_size = 32", "image_size = 64"),
    );
}

fn images(bench: &mut Bench) {
    resumed(bench, "a split that is cut off", |bench| {
        let text = bench.read("r/split.json");
        bench.write("r/split.json", &text[..20]);
    });
    resumed(bench, "no split", |bench| {
        fs::remove_file(bench.at("r/split.json")).unwrap()
    });
    let split: Value = serde_json::from_slice(&bench.read("run/split.json")).unwrap();
    let image = split["normal"][0]["path"].as_str().unwrap().to_owned();
    let before = fs::read(&image).unwrap();
    resumed(bench, "a training image replaced", |bench| {
        fs::copy(bench.at("good.png"), &image).unwrap();
    });
    resumed(bench, "a training image damaged", |_| {
        fs::write(&image, &before[..before.len() / 2]).unwrap()
    });
    resumed(bench, "a training image gone", |_| {
        fs::remove_file(&image).unwrap()
    });
    fs::write(&image, before).unwrap();
}

fn folders(bench: &mut Bench) {
    let data = bench.at("data");
    let new = |bench: &mut Bench, what: &str, out: &str| {
        let args = format!(
            "train --layout mvtec-ad --category weave --data data --image-size 32 --set stages=[1] --random-features --detector gaussian --out {out}"
        );
        bench.refused(what, &args, &[]);
    };
    let lock = FolderLock::take(&bench.at("run")).unwrap();
    bench.refused(
        "a run that another process trains",
        "train --resume run",
        &[],
    );
    drop(lock);
    let lock = FolderLock::take(&bench.at("taken")).unwrap();
    new(bench, "a new run where another process begins one", "taken");
    drop(lock);
    bench.write("full/precious.txt", "keep me");
    new(
        bench,
        "a new run in a folder with files of its user",
        "full",
    );
    assert_eq!(bench.read("full/precious.txt"), b"keep me");
    new(bench, "a new run in the folder of another", "run");
    new(bench, "a new run below a file", "good.png/run");
    new(bench, "a new run where no folder can be made", "/proc/run");
    assert!(data.is_dir());
    bench.refused(
        "a folder that holds no run, to go on with",
        "train --resume full",
        &[],
    );
    bench.refused(
        "a folder that holds no run, to evaluate",
        "evaluate full",
        &[],
    );
    bench.refused(
        "a folder that holds no run, to report",
        "report full",
        &["full/report.html"],
    );
    bench.refused("a comparison in a folder with files of its user", "compare --layout mvtec-ad --category weave --data data --random-features --image-size 32 --set stages=[1] --detectors gaussian --out full", &[]);
    bench.refused(
        "a demonstration in a folder with files of its user",
        "demo --out full",
        &[],
    );
    bench.refused(
        "fewer epochs than the run has done",
        "train --resume run --epochs 0",
        &[],
    );
}
