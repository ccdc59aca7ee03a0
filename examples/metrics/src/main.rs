//! The metrics crate alone, on numbers that came from anywhere: no tensor library, no images.
//!
//! `cargo run --release -p example-metrics`

use ckaad_metrics::{AnnotatedMap, Calibration, Connectivity, aupro, auroc, auroc_delong};

fn main() -> anyhow::Result<()> {
    // Scores of images, and which of them are anomalous.
    let scores = [0.11, 0.32, 0.18, 0.55, 0.47, 0.83, 0.91, 0.39];
    let anomalous = [false, false, false, false, true, true, true, true];
    let interval = auroc_delong(&scores, &anomalous, 0.95)?;
    println!(
        "AUROC {:.3}, 95 % interval {:.3} to {:.3}",
        auroc(&scores, &anomalous)?,
        interval.low,
        interval.high
    );

    // The scores of pixels, and a mask: of every region, how much is found at which rate of false alarms.
    let map = [0.1, 0.2, 0.9, 0.8, 0.1, 0.3, 0.7, 0.2, 0.1];
    let mask = [false, false, true, true, false, false, true, false, false];
    let maps = [AnnotatedMap::new(&map, &mask, 3, 3)];
    let figure = aupro(&maps, 0.3, Connectivity::default())?;
    println!("AUPRO up to a false-positive rate of 0.3: {figure:.3}");

    // A threshold that flags one new normal image in eight, as seven that nothing was learned from promise.
    let held_out = [0.12, 0.20, 0.31, 0.28, 0.15, 0.22, 0.26];
    let calibration = Calibration::new(&held_out)?;
    let promised = calibration.threshold(0.125)?;
    println!(
        "flag from {:.3}: at most {:.1} % of normal images; a score of 0.3 has the p-value {:.3}",
        promised.value,
        100.0 * promised.rate,
        calibration.p_value(0.3)
    );
    Ok(())
}

#[test]
fn it_runs() -> anyhow::Result<()> {
    main()
}
