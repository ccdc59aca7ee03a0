//! `cargo xtask bench-industrial`: Tables 2, 7 and 8.

use crate::bench::builder::Builder;
use crate::bench::figures::Measures;
use crate::bench::grid::{Grid, Row};
use crate::bench::row::Cell;

pub(crate) const NAME: &str = "bench-industrial";

/// Every category with every method, and their means.
pub(crate) fn grid(mut builder: Builder<'_>) -> anyhow::Result<Grid> {
    for benchmark in &builder.benchmarks(&["mvtec-ad", "visa"], &["industrial"])? {
        let key = &benchmark.key;
        let categories = builder.categories(benchmark)?;
        let systems = builder.systems(&["recon", "cka-patch"])?;
        let (mut rows, mut means) = (Vec::new(), Vec::new());
        for method in &systems {
            let mut of_method = Vec::new();
            for category in &categories {
                let paper = match method.as_str() {
                    "cka-patch" => builder.paper.category(key, category),
                    _ => Default::default(),
                };
                of_method.push(builder.row(&Cell {
                    benchmark,
                    category: Some(category),
                    method,
                    labelled: None,
                    norm: "instance",
                    paper,
                }));
            }
            // The paper's mean is one of all categories: it stands beside nothing less.
            let complete = categories.len() == benchmark.manifest.categories.len();
            let paper = match complete {
                true => builder.paper_figures(
                    method,
                    || builder.paper.industrial_mean(key, method),
                    |name| builder.paper.compared("table2", key, name, 0.0),
                ),
                false => Default::default(),
            };
            means.extend(Builder::mean_row(&of_method, paper).map(|mut row| {
                if !complete {
                    row.differs.push(format!(
                        "mean of {} categories (paper: {})",
                        categories.len(),
                        benchmark.manifest.categories.len()
                    ));
                }
                row
            }));
            rows.extend(of_method);
        }
        let of_first: Vec<&Row> = rows.iter().filter(|row| row.method == systems[0]).collect();
        let controls: Vec<Row> = of_first
            .iter()
            .flat_map(|row| builder.controls(row))
            .collect();
        rows.extend(controls);
        rows.sort_by(|a, b| a.category.cmp(&b.category));
        rows.extend(means);
        let references = builder.paper.column("table2", key);
        let beside = match key.as_str() {
            "mvtec" => "Tables 2 and 7",
            "visa" => "Tables 2 and 8",
            _ => "",
        };
        builder.section(benchmark, beside, Measures::Pixel, rows, references);
    }
    Ok(builder.finish(
        NAME,
        "Products (the paper's Tables 2, 7 and 8)",
        &["The paper's PRO is ours per image; the standard AUPRO, over all images at once, stands beside it."],
    ))
}
