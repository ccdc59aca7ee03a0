//! `cargo xtask bench-cifar10`: Table 5.

use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::Grid;
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "bench-cifar10";

/// Each class in turn is normal; three random ones of the others are labelled.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    for benchmark in &builder.benchmarks(&["cifar10"], &["cifar10"])? {
        let categories = builder.categories(benchmark)?;
        let methods = builder.methods(&["recon", "cka-patch"]);
        let (mut rows, mut means) = (Vec::new(), Vec::new());
        for method in &methods {
            let cells: Vec<(f64, usize)> = match method.as_str() {
                "recon" => vec![(0.0, 0)],
                _ => {
                    let k = builder.k(&[3], 9);
                    let ratios = builder.ratios(&[0.05])?;
                    let pair = |ratio| k.iter().map(move |&k| (ratio, k));
                    ratios.into_iter().flat_map(pair).collect()
                }
            };
            for (ratio, k) in cells {
                let stands_beside = method == "recon" || (ratio, k) == (0.05, 3);
                let mut of_method = Vec::new();
                for category in &categories {
                    let paper = match stands_beside {
                        true => builder.paper.cifar10(category, method),
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
                    true => builder.paper.cifar10("mean", method),
                    false => Default::default(),
                };
                means.extend(Builder::mean_row(&of_method, paper));
                rows.extend(of_method);
            }
        }
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
