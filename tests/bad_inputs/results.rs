use std::fs;

use super::bench::Bench;
use super::runs::evaluated;
use crate::small_run::train;
use crate::support::ckaad;

pub(super) fn cases(bench: &mut Bench) {
    results(bench);
    features(bench);
}

fn results(bench: &mut Bench) {
    let root = bench.at("data");
    let args = train(
        &root,
        &bench.at("other"),
        &["--detector", "gaussian", "--seed", "6"],
    );
    ckaad().args(args).assert().success();
    evaluated(bench, "the model of another run", |bench| {
        bench.write("r/model.safetensors", bench.read("other/model.safetensors"))
    });
    evaluated(bench, "a damaged model", |bench| {
        bench.write("r/model.safetensors", "no model")
    });
    bench.copy_folder("run", "r");
    bench.write("r/log.jsonl", b"\xFF\xFE{\n{\"epoch\":\n");
    bench.warned(
        "a damaged log, which evaluation does not need",
        "evaluate r",
        &[],
    );
    for (what, file, bytes) in [
        (
            "a report that is cut off",
            "r/report.json",
            &b"{\"last\":"[..],
        ),
        (
            "scores of other images",
            "r/predictions.csv",
            b"path,label,class,score,decision,p_value\nx.png,normal,n,1,normal,\n",
        ),
        (
            "scores that are no numbers",
            "r/predictions.csv",
            b"path,score\nx.png,many\n",
        ),
    ] {
        let before = bench.read(file);
        bench.write(file, bytes);
        let _ = fs::remove_file(bench.at("r/report.html"));
        bench.refused(what, "report r", &["r/report.html"]);
        bench.write(file, before);
    }
    bench.write("c/comparison.json", "{\"detectors\": [");
    bench.refused(
        "a comparison that is cut off",
        "report c",
        &["c/report.html"],
    );
    bench.write("c/comparison.json", "\u{7}".repeat(300));
    bench.refused(
        "a comparison of control characters",
        "report c",
        &["c/report.html"],
    );
}

/// Kept features that are damaged are computed anew.
fn features(bench: &mut Bench) {
    let args = "train --layout mvtec-ad --category weave --data data --image-size 32 --set stages=[1] --random-features --detector gaussian --set feature_cache_dir=\"cache\" --out";
    let run = |out: &str| {
        let mut command = ckaad();
        command
            .current_dir(bench.at(""))
            .args(args.split(' '))
            .arg(out);
        command.assert().success();
    };
    run("first");
    let mut files: Vec<_> = fs::read_dir(bench.at("cache"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let whole: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (file, bytes) in files.iter().zip(&whole) {
        let mut flipped = bytes.clone();
        flipped[0] ^= 1;
        fs::write(file, flipped).unwrap();
    }
    run("second");
    for (file, bytes) in files.iter().zip(&whole) {
        assert!(fs::read(file).unwrap() == *bytes, "{}", file.display());
    }
    bench.write("cached", "a file");
    bench.refused(
        "a folder for features that is a file",
        &format!("{} third", args.replace("\"cache\"", "\"cached\"")),
        &["third"],
    );
}
