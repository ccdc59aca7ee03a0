use std::process::Command;

use ckaad_parameters::{NamedTensors, Seal};
use serde_json::{Value, json};

use super::bench::Bench;

const MODEL: Seal = Seal {
    key: "ckaad_model",
    version: 3,
};

/// The model of the run as somebody who can seal it would change it.
fn forge(bench: &Bench, change: impl FnOnce(&mut Value, &mut NamedTensors)) {
    let file = MODEL.read(&bench.at("run/model.safetensors")).unwrap();
    let (mut info, mut tensors) = (file.info().unwrap(), file.parameters().unwrap());
    change(&mut info, &mut tensors);
    bench.write(
        "m",
        MODEL.to_bytes(tensors.views().unwrap(), &info).unwrap(),
    );
}

/// A file of a header and a few bytes.
fn header(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), &[0; 8]].concat()
}

/// Gives the file `m` to the program as a model.
fn refused(bench: &mut Bench, what: &str) {
    bench.refused(what, "predict m good.png --out out", &["out"]);
}

pub(super) fn cases(bench: &mut Bench) {
    damaged(bench);
    weights(bench);
    descriptions(bench);
    bench.refused(
        "a model that is not there",
        "predict absent.safetensors good.png --out out",
        &["out"],
    );
    bench.refused(
        "a folder without a model",
        "predict nothing good.png --out out",
        &["out"],
    );
    bench.refused(
        "a checkpoint",
        "predict run/checkpoint/last.safetensors good.png --out out",
        &["out"],
    );
    assert!(
        Command::new("mkfifo")
            .arg(bench.at("pipe"))
            .status()
            .unwrap()
            .success()
    );
    bench.refused("a named pipe", "predict pipe good.png --out out", &["out"]);
}

fn damaged(bench: &mut Bench) {
    let whole = bench.read("run/model.safetensors");
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let later = Seal {
        version: 4,
        ..MODEL
    };
    let tensors = MODEL
        .read(&bench.at("run/model.safetensors"))
        .unwrap()
        .parameters()
        .unwrap();
    let later = later
        .to_bytes(tensors.views().unwrap(), &json!({}))
        .unwrap();
    for (what, bytes) in [
        ("an empty file", Vec::new()),
        ("a text", b"not a model".to_vec()),
        ("half a model", whole[..whole.len() / 2].to_vec()),
        (
            "a model without its last byte",
            whole[..whole.len() - 1].to_vec(),
        ),
        ("a model and a byte more", [&whole[..], &[0]].concat()),
        (
            "one bit flipped among the weights",
            flipped(whole.len() - 1000),
        ),
        ("one bit flipped in the header", flipped(400)),
        ("one bit flipped in the digest", flipped(60)),
        ("a later version", later),
        (
            "weights of something else",
            tensors.to_safetensors().unwrap(),
        ),
        (
            "a header that is longer than any file",
            [&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
        ),
        (
            "a header that asks for four terabytes",
            header(
                r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#,
            ),
        ),
        (
            "a shape whose product is beyond all numbers",
            header(
                r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}"#,
            ),
        ),
        (
            "offsets that overlap",
            header(
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
            ),
        ),
        (
            "offsets that run backwards",
            header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#),
        ),
    ] {
        bench.write("m", bytes);
        refused(bench, what);
    }
}

fn weights(bench: &mut Bench) {
    for (what, value) in [
        ("a weight that is no number, sealed", f32::NAN),
        ("an infinite weight, sealed", f32::INFINITY),
        ("a weight of 1e38, sealed", 1e38),
    ] {
        forge(bench, |_, tensors| {
            let name = tensors.names().next().unwrap().to_owned();
            let mut tensor = tensors.remove(&name).unwrap();
            tensor.values[0] = value;
            tensors.insert(name, tensor);
        });
        refused(bench, what);
    }
    forge(bench, |_, tensors| {
        *tensors = std::mem::take(tensors).prefixed("../")
    });
    refused(bench, "names that lead out of a folder, sealed");
    forge(bench, |_, tensors| drop(tensors.remove("detector.mean")));
    refused(bench, "a parameter missing, sealed");
    forge(bench, |_, tensors| {
        let mut tensor = tensors.remove("detector.mean").unwrap();
        tensor.values.pop();
        tensor.shape = vec![tensor.values.len()];
        tensors.insert("detector.mean", tensor);
    });
    refused(bench, "a parameter of another shape, sealed");
}

fn descriptions(bench: &mut Bench) {
    for (what, key, value) in [
        ("image_size 2^61, sealed", "image_size", json!(1_u64 << 61)),
        ("batch 2^61, sealed", "batch", json!(1_u64 << 61)),
        ("a negative number of epochs, sealed", "epochs", json!(-1)),
        (
            "elastic.sigma 1e308, sealed",
            "elastic",
            json!({"sigma": 1e308}),
        ),
        ("a stage that no network has, sealed", "stages", json!([9])),
        (
            "a network of another kind, sealed",
            "backbone",
            json!("resnet50"),
        ),
        (
            "a detector of the future, sealed",
            "detector",
            json!({"name": "nonesuch"}),
        ),
        (
            "a detector of 2^60 steps, sealed",
            "detector",
            json!({"name": "fastflow", "steps": 1_u64 << 60}),
        ),
        ("a setting of the future, sealed", "colour", json!("blue")),
    ] {
        forge(bench, |info, _| info["config"][key] = value);
        refused(bench, what);
    }
    forge(bench, |info, _| info["threshold"]["value"] = json!(null));
    refused(bench, "no threshold, sealed");
    forge(bench, |info, _| {
        info["preprocessing"]["mean"] = json!([0.0, 0.0, 0.0])
    });
    refused(bench, "another preprocessing, sealed");
    forge(bench, |info, _| *info = json!([]));
    refused(bench, "no description, sealed");
}
