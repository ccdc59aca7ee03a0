//! `cargo xtask labelled-classes`: Figure 2, how many classes have labels.

use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::Grid;
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "labelled-classes";

/// k = 1, 2, 3 at one ratio.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    for benchmark in &builder.benchmarks(&["isic2018"], &["medical"])? {
        let classes = benchmark.manifest.anomalous.len();
        let mut rows = Vec::new();
        for method in &builder.methods(&["cka-patch"])? {
            for ratio in builder.ratios(&[0.05])? {
                for k in builder.k(&[1, 2, 3], classes) {
                    let paper = match (method.as_str(), k) {
                        ("cka-patch", 1) => builder.paper.medical(&benchmark.key, ratio),
                        _ => Default::default(),
                    };
                    rows.push(builder.row(&Cell {
                        benchmark,
                        category: None,
                        method,
                        labelled: Some((ratio, k)),
                        norm: "instance",
                        paper,
                    }));
                }
            }
        }
        builder.section(benchmark, "Figure 2", Measures::Image, rows, Vec::new());
    }
    Ok(builder.finish(
        NAME,
        "Number of labelled anomaly classes (the paper's Figure 2)",
        &[
            "k = 1 takes every class in turn; more are drawn at random by the seed, five times.",
            "The paper shows Figure 2 as bars without figures; its figure for k = 1 is that of Table 1.",
        ],
    ))
}
