//! `cargo xtask bench-medical`: Tables 1 and 4.

use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::Grid;
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "bench-medical";

/// Reconstruction alone at ratio 0, the method asked for at every other.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    let benchmarks = builder.benchmarks(
        &["isic2018", "chest-xray", "br35h", "oct2017"],
        &["medical"],
    )?;
    for benchmark in &benchmarks {
        let key = &benchmark.key;
        let mut rows = Vec::new();
        let systems = builder.systems(&["recon", "cka-patch"])?;
        for ratio in builder.ratios(&[0.0, 0.01, 0.02, 0.05])? {
            let first = rows.len();
            // Without labelled images every method is reconstruction.
            let fitting = systems
                .iter()
                .filter(|system| builder.uses_labels(system) == (ratio > 0.0));
            for system in fitting.collect::<Vec<_>>() {
                for k in builder.k(&[1], benchmark.manifest.anomalous.len()) {
                    let ours = ratio == 0.0 || (system == "cka-patch" && k == 1);
                    let paper = builder.paper_figures(
                        system,
                        || match ours {
                            true => builder.paper.medical(key, ratio),
                            false => Default::default(),
                        },
                        |name| builder.paper.compared("table1", key, name, ratio),
                    );
                    let row = builder.row(&Cell {
                        benchmark,
                        category: None,
                        method: system,
                        labelled: Some((ratio, if ratio == 0.0 { 0 } else { k })),
                        norm: "instance",
                        paper,
                    });
                    if !rows.contains(&row) {
                        rows.push(row);
                    }
                }
            }
            let controls = rows
                .get(first)
                .map_or(Vec::new(), |row| builder.controls(row));
            rows.extend(controls);
        }
        let references = builder.paper.column("table1", key);
        builder.section(
            benchmark,
            "Tables 1 and 4",
            Measures::Image,
            rows,
            references,
        );
    }
    Ok(builder.finish(
        NAME,
        "Medical images (the paper's Tables 1 and 4)",
        &["A figure is the mean over labelled classes taken in turn, then over seeds."],
    ))
}
