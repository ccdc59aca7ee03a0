//! The pages.

mod benchmark;
mod comparison;
mod data;
pub(crate) mod decisions;
mod gallery;
mod models;
mod ranking;
mod run;
mod settings;
mod shell;
mod table;
mod training;

pub use benchmark::benchmark_page;
pub use comparison::comparison_page;
pub use run::run_page;

use crate::plot::Chart;

/// A finished page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The whole file.
    pub html: String,
    /// Its plots as files of their own.
    pub plots: Vec<PlotFile>,
}

/// A plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotFile {
    /// A name for its file, without an ending.
    pub name: String,
    /// The file (SVG).
    pub svg: String,
}

fn files(charts: &[&Chart]) -> Vec<PlotFile> {
    let file = |chart: &&Chart| PlotFile {
        name: chart.file.clone(),
        svg: chart.document(),
    };
    charts.iter().map(file).collect()
}
