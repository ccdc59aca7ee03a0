//! `cargo xtask bench-cifar10`: Table 5.

use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::{Grid, Row};
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "bench-cifar10";

/// Each class in turn is normal; three random ones of the others are labelled.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    for benchmark in &builder.benchmarks(&["cifar10"], &["cifar10"])? {
        let categories = builder.categories(benchmark)?;
        let systems = builder.systems(&["recon", "cka-patch"])?;
        let (mut rows, mut means) = (Vec::new(), Vec::new());
        for method in &systems {
            let cells: Vec<(f64, usize)> = match builder.uses_labels(method) {
                false => vec![(0.0, 0)],
                true => {
                    let k = builder.k(&[3], 9);
                    let ratios = builder.ratios(&[0.05])?;
                    let pair = |ratio| k.iter().map(move |&k| (ratio, k));
                    ratios.into_iter().flat_map(pair).collect()
                }
            };
            for (ratio, k) in cells {
                let stands_beside = ratio == 0.0 || (ratio, k) == (0.05, 3);
                let paper = |builder: &Builder<'_>, class: &str| {
                    let ours = if method == "recon" { "Recon" } else { "CKAAD" };
                    let of = |name: &str| builder.paper.cifar10(class, name);
                    builder.paper_figures(method, || of(ours), of)
                };
                let mut of_method = Vec::new();
                for category in &categories {
                    let paper = match stands_beside {
                        true => paper(&builder, category),
                        false => Default::default(),
                    };
                    of_method.push(builder.row(&Cell {
                        benchmark,
                        category: Some(category),
                        method,
                        labelled: Some((ratio, k)),
                        norm: "instance",
                        paper,
                    }));
                }
                let paper = match stands_beside && categories.len() == 10 {
                    true => paper(&builder, "mean"),
                    false => Default::default(),
                };
                means.extend(Builder::mean_row(&of_method, paper));
                rows.extend(of_method);
            }
        }
        let of_first: Vec<&Row> = rows.iter().filter(|row| row.method == systems[0]).collect();
        let controls: Vec<Row> = of_first
            .iter()
            .flat_map(|row| builder.controls(row))
            .collect();
        rows.extend(controls);
        rows.sort_by(|a, b| a.category.cmp(&b.category));
        rows.extend(means);
        let references = builder.paper.cifar10_means();
        builder.section(benchmark, "Table 5", Measures::Image, rows, references);
    }
    Ok(builder.finish(
        NAME,
        "CIFAR-10, one class against the others (the paper's Table 5)",
        &["The paper does not state batch, epochs and learning rates of this table; ours are those of the preset."],
    ))
}
