//! Systems that look at pixels find what is wrong in the demonstration's pictures. What is asked of each lies well below what several seeds gave: on another
//! processor rounding differs, which changes these figures as another seed does.

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

/// Over four seeds 82.8 to 90.6, and 80.9 to 93.8 of pixels.
#[test]
fn draem() {
    let small = [
        "detector.rebuild_width=8",
        "detector.segment_width=8",
        "detector.learning_rate=3e-3",
    ];
    finds("draem", [64, 16], &small, [0.7; 2]);
}

/// Over six seeds 83.1 to 96.4, and 91.1 to 95.9 of pixels.
#[test]
fn destseg() {
    let small = ["detector.segment_width=32"];
    finds("destseg", [64, 16], &small, [0.7, 0.8]);
}

/// Over seven seeds 71.4 to 80.7; it has no map.
#[test]
fn ganomaly() {
    let small = ["detector.width=32", "detector.latent=32"];
    finds("ganomaly", [32, 40], &small, [0.6, 0.0]);
}

/// Over four seeds 82.8 to 93.2, and 84.1 to 87.5 of pixels.
#[test]
fn ae_flow() {
    let stages = ["stages=[1,2,3]", "detector.steps=4"];
    finds("ae-flow", [64, 2], &stages, [0.7; 2]);
}

/// Over three seeds 99.5 to 100, and 97.2 to 97.8 of pixels.
#[test]
fn dmad() {
    let small = [
        "stages=[1,2,3]",
        "detector.offset_width=16",
        "detector.codes=50",
    ];
    finds("dmad", [64, 1], &small, [0.9; 2]);
}

/// Over three seeds 100, and 97.7 to 98.6 of pixels.
#[test]
fn d3ad() {
    finds("d3ad", [64, 16], &["detector.learning_rate=1e-3"], [0.9; 2]);
}

/// Over twelve seeds 100, and 66.7 to 85.0 of pixels (74.5 in the mean).
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
