//! Precisions: what a run was trained in is what its model is used in, unless another is asked for.

use std::path::Path;

use crate::support::{ckaad, json, synthetic, train_args};

/// Scores by path, of a table that `evaluate` or `predict` wrote.
fn scores(table: &Path) -> Vec<(String, f64)> {
    let mut reader = csv::Reader::from_path(table).unwrap();
    let column = |name: &str, headers: &csv::StringRecord| {
        headers.iter().position(|header| header == name).unwrap()
    };
    let headers = reader.headers().unwrap().clone();
    let (path, score) = (column("path", &headers), column("score", &headers));
    let mut rows: Vec<(String, f64)> = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            (row[path].to_owned(), row[score].parse().unwrap())
        })
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

/// The largest relative difference of scores of the same images.
fn difference(a: &[(String, f64)], b: &[(String, f64)]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| {
            assert_eq!(a.0, b.0);
            (a.1 - b.1).abs() / b.1
        })
        .fold(0.0, f64::max)
}

#[test]
fn a_model_is_used_in_the_precision_it_was_trained_in() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = folder.path().join("run");
    let trained = ckaad()
        .args(train_args(&root, &run))
        .args(["--precision", "tf32"])
        .assert()
        .success();
    let said = String::from_utf8_lossy(&trained.get_output().stderr);
    assert!(said.contains("only imitates"), "{said}");
    ckaad().arg("evaluate").arg(&run).assert().success();
    assert_eq!(
        json(&run.join("report.json"))["config"]["precision"],
        "tf32"
    );
    let evaluated = scores(&run.join("predictions.csv"));

    let predict = |out: &str, precision: &[&str]| {
        let out = folder.path().join(out);
        ckaad()
            .arg("predict")
            .arg(&run)
            .arg(root.join("weave/test"))
            .arg("--out")
            .arg(&out)
            .arg("--no-heatmaps")
            .args(precision)
            .assert()
            .success();
        scores(&out.join("predictions.csv"))
    };
    let same = difference(&predict("same", &[]), &evaluated);
    let single = difference(&predict("single", &["--precision", "f32"]), &evaluated);
    let half = difference(&predict("half", &["--precision", "bf16"]), &evaluated);
    assert!(same < 1e-6, "{same}");
    assert!(single > 1e-6 && single < 1e-2, "{single}");
    assert!(half > single && half < 1e-1, "{half}");
}

#[test]
fn an_unknown_precision_is_refused_with_those_there_are() {
    let refused = ckaad()
        .args(["predict", "model", "image.png", "--out", "out"])
        .args(["--precision", "fp16"])
        .assert()
        .code(2);
    let said = String::from_utf8_lossy(&refused.get_output().stderr);
    assert!(said.contains("f32, tf32, bf16"), "{said}");
}
