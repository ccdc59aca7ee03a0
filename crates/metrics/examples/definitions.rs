//! How much definitions that go by one name differ, on one synthetic set: prints the table of the README.
//!
//! ```text
//! cargo run --release -p ckaad-metrics --example definitions
//! ```

use std::error::Error;

use ckaad_metrics::{
    AnnotatedMap, Connectivity, PixelRanking, aupro_binned, average_precision, oracle_f1_max,
    partial_auroc, pro_per_image,
};

mod synthetic;

const SIDE: usize = 256;

fn main() -> Result<(), Box<dyn Error>> {
    let images = synthetic::images(70, SIDE);
    let maps: Vec<_> = images
        .iter()
        .map(|(map, mask)| AnnotatedMap::new(map, mask, SIDE, SIDE))
        .collect();
    let eight = PixelRanking::of(&maps, Connectivity::Eight)?;
    let four = PixelRanking::of(&maps, Connectivity::Four)?;
    let aupro = eight.aupro(0.3)?;
    println!(
        "{} maps, {} regions (8-connected), {} (4-connected)\n",
        eight.images(),
        eight.regions(),
        four.regions()
    );
    println!("| localisation figure | value | minus `aupro(0.3)` |\n|---|---|---|");
    let row = |name: &str, value: f64| println!("| {name} | {value:.4} | {:+.6} |", value - aupro);
    row("aupro(0.3), 8-connected", aupro);
    row("aupro(0.3), 4-connected", four.aupro(0.3)?);
    row("aupro(0.05)", eight.aupro(0.05)?);
    row("aupro(1.0)", eight.aupro(1.0)?);
    row("pro_per_image", pro_per_image(&maps, Connectivity::Eight)?);
    for bins in [200, 1000, 10_000] {
        let binned = aupro_binned(&maps, 0.3, Connectivity::Eight, bins)?;
        row(
            &format!(
                "aupro_binned(0.3), {bins} bins, bound {:.1e}",
                binned.error_bound
            ),
            binned.value,
        );
    }
    row("pixel AUROC", eight.auroc());
    row("pixel AP", eight.average_precision());
    row("pixel F1-max (oracle)", eight.oracle_f1_max()?.f1);

    let (scores, labels) = synthetic::labelled(2000);
    println!("\n| image-level figure | value |\n|---|---|");
    let part = partial_auroc(&scores, &labels, 0.1)?;
    println!("| partial AUROC to FPR 0.1: area | {:.4} |", part.area);
    println!("| the same, divided by 0.1 | {:.4} |", part.normalised);
    println!("| the same, McClish's scale | {:.4} |", part.standardised);
    println!(
        "| average precision (steps) | {:.4} |",
        average_precision(&scores, &labels)?
    );
    let best = oracle_f1_max(&scores, &labels)?;
    println!("| F1-max (oracle) | {:.4} |", best.f1);
    println!(
        "| accuracy at F1-max (oracle) | {:.4} |",
        best.confusion.accuracy()
    );
    Ok(())
}
