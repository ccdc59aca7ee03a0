//! Systems that look at pixels find what is wrong in the demonstration's pictures.

use ckaad_data::{SynthSize, synth_demo};

use crate::support::{ckaad, json};

/// Trains on pictures of `side` pixels with random features, and holds the AUROC of the test pictures, and of their
/// pixels where there are maps, against `least`.
fn finds(
    detector: &str,
    [side, epochs]: [usize; 2],
    settings: &[&str],
    [least, least_of_pixels]: [f64; 2],
) {
    let folder = tempfile::tempdir().unwrap();
    let (root, run) = (folder.path().join("data"), folder.path().join("run"));
    synth_demo(&root, 7, SynthSize::default()).unwrap();
    let fixed = "train --layout mvtec-ad --category weave --batch 8 --random-features --seed 5";
    let sets = settings.iter().flat_map(|setting| ["--set", setting]);
    ckaad()
        .args(fixed.split(' '))
        .args(["--image-size", &side.to_string()])
        .args(["--epochs", &epochs.to_string(), "--detector", detector])
        .args(sets)
        .arg("--data")
        .arg(&root)
        .arg("--out")
        .arg(&run)
        .assert()
        .success();
    ckaad().arg("evaluate").arg(&run).assert().success();
    let report = json(&run.join("report.json"));
    let auroc = report["last"]["image"]["image_auroc"].as_f64().unwrap();
    assert!(auroc > least, "{detector}: {auroc}");
    let of_pixels = report["last"]["pixel"]["pixel_auroc"].as_f64();
    let of_pixels = of_pixels.unwrap_or(0.0);
    assert!(of_pixels >= least_of_pixels, "{detector}: {of_pixels}");
}

/// 89.6 and 88.9 where it was measured.
#[test]
fn draem() {
    let small = [
        "detector.rebuild_width=8",
        "detector.segment_width=8",
        "detector.learning_rate=3e-3",
    ];
    finds("draem", [64, 16], &small, [0.75; 2]);
}

/// 83.6 and 85.4 where it was measured.
#[test]
fn destseg() {
    finds("destseg", [64, 8], &["detector.segment_width=32"], [0.7; 2]);
}

/// 72.6 where it was measured; it has no map.
#[test]
fn ganomaly() {
    let small = ["detector.width=32", "detector.latent=32"];
    finds("ganomaly", [32, 40], &small, [0.6, 0.0]);
}

/// 90.9 and 87.0 where it was measured.
#[test]
fn ae_flow() {
    let stages = ["stages=[1,2,3]", "detector.steps=4"];
    finds("ae-flow", [64, 2], &stages, [0.8, 0.7]);
}

/// 100 and 97.8 where it was measured.
#[test]
fn dmad() {
    let small = [
        "stages=[1,2,3]",
        "detector.offset_width=16",
        "detector.codes=50",
    ];
    finds("dmad", [64, 1], &small, [0.9; 2]);
}

/// 100 and 98.5 where it was measured.
#[test]
fn d3ad() {
    finds("d3ad", [64, 16], &["detector.learning_rate=1e-3"], [0.9; 2]);
}

/// Over twelve seeds 100 and 66.7 to 85.0 (74.5 in the mean): what networks that learn against one another come to, any rounding draws anew.
#[test]
fn aa_bigan() {
    let small = [
        "detector.width=16",
        "detector.hidden=128",
        "detector.learning_rate=1e-3",
        "detector.critic_learning_rate=2.5e-4",
    ];
    finds("aa-bigan", [32, 16], &small, [0.9, 0.6]);
}
