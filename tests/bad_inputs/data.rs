use std::fs;

use image::GrayImage;
use serde_json::Value;

use super::bench::Bench;
use crate::own_folders::{Own, SIDE, square};

const QUICK: &str =
    "--random-features --detector gaussian --image-size 32 --set stages=[1] --out out";

pub(super) fn cases(bench: &mut Bench) {
    manifests(bench);
    splits(bench);
    published(bench);
    masks(bench);
    bench.refused(
        "no images",
        &format!("train --normal nothing {QUICK}"),
        &["out"],
    );
    bench.refused(
        "images that are not there",
        &format!("train --normal absent {QUICK}"),
        &["out"],
    );
    bench.refused(
        "an unknown category",
        &format!("train --layout mvtec-ad --category bottle --data data {QUICK}"),
        &["out"],
    );
    bench.refused(
        "a layout of another data set",
        &format!("train --layout visa --category weave --data data {QUICK}"),
        &["out"],
    );
    bench.refused(
        "a copy that is none",
        "datasets check mvtec-ad nothing",
        &[],
    );
    fs::copy(
        bench.at("text.png"),
        bench.at("data/weave/train/good/broken.png"),
    )
    .unwrap();
    bench.refused(
        "a training image that is none",
        &format!("train --layout mvtec-ad --category weave --data data {QUICK}"),
        &["out"],
    );
    fs::remove_file(bench.at("data/weave/train/good/broken.png")).unwrap();
}

fn manifests(bench: &mut Bench) {
    let head = "path,label,split\n";
    for (what, name, text) in [
        ("an empty manifest", "m.csv", String::new().into_bytes()),
        (
            "a manifest without a column",
            "m.csv",
            b"path,label\ngood.png,normal\n".to_vec(),
        ),
        (
            "a manifest with an unknown label",
            "m.csv",
            format!("{head}good.png,fine,train\n").into_bytes(),
        ),
        (
            "a manifest with an unknown split",
            "m.csv",
            format!("{head}good.png,normal,later\n").into_bytes(),
        ),
        (
            "a manifest of images that are not there",
            "m.csv",
            format!("{head}../../etc/absent.png,normal,train\n").into_bytes(),
        ),
        (
            "a manifest that lists an image twice",
            "m.csv",
            format!("{head}good.png,normal,train\n./good.png,normal,test\n").into_bytes(),
        ),
        (
            "a manifest with a short line",
            "m.csv",
            format!("{head}good.png,normal\n").into_bytes(),
        ),
        (
            "a manifest with an open quote",
            "m.csv",
            format!("{head}\"good.png,normal,train\n").into_bytes(),
        ),
        (
            "a manifest that is not UTF-8",
            "m.csv",
            [head.as_bytes(), b"g\xFCt.png,normal,train\n"].concat(),
        ),
        (
            "a manifest in UTF-16",
            "m.csv",
            head.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "a manifest with escape sequences",
            "m.csv",
            format!("{head}\u{1b}[2J.png,normal,train\n").into_bytes(),
        ),
        (
            "JSON lines with an unknown field",
            "m.jsonl",
            br#"{"path":"good.png","label":"normal","split":"train","weight":1}"#.to_vec(),
        ),
        (
            "JSON lines that are cut off",
            "m.jsonl",
            br#"{"path":"good.png","label":"#.to_vec(),
        ),
        (
            "JSON lines of nested lists",
            "m.jsonl",
            [&br#"{"path":"#[..], &[b'['; 100_000]].concat(),
        ),
    ] {
        bench.write(name, text);
        bench.refused(
            what,
            &format!("train --layout manifest --data {name} {QUICK}"),
            &["out"],
        );
    }
    bench.refused(
        "a manifest without an end",
        &format!("train --layout manifest --data /dev/zero {QUICK}"),
        &["out"],
    );
}

fn splits(bench: &mut Bench) {
    let split: Value = serde_json::from_slice(&bench.read("run/split.json")).unwrap();
    let mut edited = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut split = split.clone();
        change(&mut split);
        bench.write("s.json", split.to_string());
        bench.refused(what, &format!("train --split s.json {QUICK}"), &["out"]);
    };
    edited("a split without normal images", &|split| {
        split["normal"] = Value::Array(Vec::new())
    });
    edited("a split whose normal image is anomalous", &|split| {
        split["normal"][0]["label"] = "anomalous".into()
    });
    edited(
        "a split with a training image among the test images",
        &|split| split["test"][0] = split["normal"][0].clone(),
    );
    edited("a split of images that are not there", &|split| {
        split["normal"][0]["path"] = "../absent.png".into()
    });
    edited("a split with an unknown field", &|split| {
        split["colour"] = "blue".into()
    });
    edited("a split that is no object", &|split| *split = Value::Null);
    edited("a split with a record beyond its file", &|split| {
        split["normal"][0]["path"] =
            serde_json::json!({"file": "good.png", "index": 0, "offset": u64::MAX});
    });
    bench.write("s.json", "{\"normal\":");
    bench.refused(
        "a split that is cut off",
        &format!("train --split s.json {QUICK}"),
        &["out"],
    );
}

/// Layouts of data sets with files of their own.
fn published(bench: &mut Bench) {
    for n in 1..=5 {
        bench.write(&format!("cifar/data_batch_{n}.bin"), vec![1; 3073]);
    }
    bench.write("cifar/test_batch.bin", vec![1; 3000]);
    bench.refused(
        "a CIFAR-10 batch that is cut off",
        &format!("train --layout cifar10 --category cat --data cifar {QUICK}"),
        &["out"],
    );
    bench.write("cifar/test_batch.bin", vec![10; 3073]);
    bench.refused(
        "a CIFAR-10 batch with a class 10",
        &format!("train --layout cifar10 --category cat --data cifar {QUICK}"),
        &["out"],
    );
    for part in ["Training", "Validation"] {
        let image = bench.read("good.png");
        bench.write(
            &format!("isic/ISIC2018_Task3_{part}_Input/ISIC_1.png"),
            image,
        );
        bench.write(
            &format!(
                "isic/ISIC2018_Task3_{part}_GroundTruth/ISIC2018_Task3_{part}_GroundTruth.csv"
            ),
            "image,MEL,NV\nISIC_1,0.0,1.0\n",
        );
    }
    bench.refused(
        "an ISIC table without columns",
        &format!("train --layout isic2018 --data isic {QUICK}"),
        &["out"],
    );
}

const UNMARKED: &str = "a mask without a marked pixel";
const MISSING: &str = "an image without a mask";

fn masks(bench: &mut Bench) {
    let huge = bench.read("huge.png");
    for (what, write) in [
        (
            "a mask of another shape",
            &(|own: &Own| own.save("masks/hole/000.png", GrayImage::new(SIDE, SIDE / 2)))
                as &dyn Fn(&Own),
        ),
        ("a mask that is no image", &|own| {
            own.write("masks/hole/001.png", b"no picture")
        }),
        (UNMARKED, &|own| {
            own.save("masks/hole/002.png", GrayImage::new(SIDE, SIDE))
        }),
        ("a mask header of 30000 x 30000 pixels", &|own| {
            own.write("masks/hole/000.png", &huge)
        }),
        ("masks of no image", &|own| {
            fs::rename(own.at("masks/hole"), own.at("masks/holes")).unwrap()
        }),
        (MISSING, &|own| {
            fs::remove_file(own.at("masks/hole/002.png")).unwrap()
        }),
    ] {
        let own = Own::with_masks(|stem| format!("hole/{stem}.png"), |n| square(n, 255).into());
        write(&own);
        let to = bench.at("own");
        let _ = fs::remove_dir_all(&to);
        fs::rename(own.at(""), &to).unwrap();
        let args = format!("train --normal own/good --test own/test --masks own/masks {QUICK}");
        match what {
            // The run needs none of them; its figures of pixels do.
            UNMARKED | MISSING => bench.warned(what, &args, &["out"]),
            _ => bench.refused(what, &args, &["out"]),
        }
    }
}
