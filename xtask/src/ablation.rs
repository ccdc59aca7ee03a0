//! `cargo xtask ablation`: Table 3, how labelled anomalies are used.

use crate::bench::args::METHODS;
use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::Grid;
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "ablation";

/// Every strategy on every data set.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    let benchmarks = builder.benchmarks(
        &["isic2018", "chest-xray", "mvtec-ad"],
        &["medical", "industrial"],
    )?;
    let methods = builder.methods(&METHODS)?;
    for benchmark in &benchmarks {
        let mut rows = Vec::new();
        let medical = benchmark.manifest.preset == "medical";
        for method in &methods {
            let paper = builder.paper.strategy(&benchmark.key, method);
            if medical {
                for ratio in builder.ratios(&[0.05])? {
                    let labelled = match method.as_str() {
                        "recon" => (0.0, 0),
                        _ => (ratio, 1),
                    };
                    let row = builder.row(&Cell {
                        benchmark,
                        category: None,
                        method,
                        labelled: Some(labelled),
                        norm: "instance",
                        paper: if ratio == 0.05 {
                            paper.clone()
                        } else {
                            Default::default()
                        },
                    });
                    if !rows.contains(&row) {
                        rows.push(row);
                    }
                }
                continue;
            }
            let categories = builder.categories(benchmark)?;
            let of_method: Vec<_> = categories
                .iter()
                .map(|category| {
                    builder.row(&Cell {
                        benchmark,
                        category: Some(category),
                        method,
                        labelled: None,
                        norm: "instance",
                        paper: Default::default(),
                    })
                })
                .collect();
            let complete = categories.len() == benchmark.manifest.categories.len();
            let paper = if complete { paper } else { Default::default() };
            rows.extend(Builder::mean_row(&of_method, paper));
        }
        let measures = if medical {
            Measures::Image
        } else {
            Measures::Pixel
        };
        builder.section(benchmark, "Table 3", measures, rows, Vec::new());
    }
    Ok(builder.finish(
        NAME,
        "How labelled anomalies are used (the paper's Table 3)",
        &["Medical images: one labelled class at a ratio of 0.05. Products: elastic transforms."],
    ))
}
