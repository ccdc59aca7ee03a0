//! `cargo xtask normalisation`: Table 6, batch or instance norm.

use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::Grid;
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "normalisation";

/// Both norms with and without labelled images.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    let benchmarks = builder.benchmarks(&["isic2018", "chest-xray", "br35h"], &["medical"])?;
    let methods = builder.methods(&["recon", "cka-patch"])?;
    for benchmark in &benchmarks {
        let mut rows = Vec::new();
        for ratio in builder.ratios(&[0.0, 0.05])? {
            // Without labelled images every method is reconstruction.
            let fitting = methods
                .iter()
                .filter(|&method| (method == "recon") == (ratio == 0.0));
            for method in fitting {
                for norm in ["batch", "instance"] {
                    let paper = match method.as_str() {
                        "recon" | "cka-patch" => {
                            builder.paper.normalisation(&benchmark.key, ratio, norm)
                        }
                        _ => Default::default(),
                    };
                    rows.push(builder.row(&Cell {
                        benchmark,
                        category: None,
                        method,
                        labelled: Some((ratio, usize::from(ratio > 0.0))),
                        norm,
                        paper,
                    }));
                }
            }
        }
        builder.section(benchmark, "Table 6", Measures::Image, rows, Vec::new());
    }
    Ok(builder.finish(
        NAME,
        "Batch or instance norm in the auto-encoder (the paper's Table 6)",
        &["A figure is the mean over labelled classes taken in turn, then over seeds."],
    ))
}
