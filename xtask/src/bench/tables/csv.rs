//! Long tables for other programs: a line per figure, and a line per run.

use std::path::Path;

use serde_json::Value;

use super::measured::Results;
use crate::bench::folder::{Folder, State};
use crate::bench::grid::Grid;

/// Every figure of every row.
pub(super) fn table(grid: &Grid, results: &Results) -> anyhow::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "benchmark",
        "images",
        "dataset",
        "category",
        "method",
        "labelled_ratio",
        "k",
        "norm",
        "model",
        "figure",
        "threshold",
        "mean",
        "std",
        "n",
        "seeds",
        "paper",
        "paper_std",
        "difference",
        "setting_differs",
    ])?;
    let images = if grid.synthetic { "SYNTHETIC" } else { "real" };
    for section in &results.sections {
        for row in &section.rows {
            for model in &row.models {
                for figure in &model.figures {
                    let threshold = serde_json::to_value(figure.threshold)?;
                    table.write_record([
                        grid.command.as_str(),
                        images,
                        &section.dataset,
                        row.category.as_deref().unwrap_or_default(),
                        &row.method,
                        &number(row.labelled_ratio),
                        &row.k.map(|k| k.to_string()).unwrap_or_default(),
                        &row.norm,
                        model.model.title(),
                        figure.figure,
                        threshold.as_str().unwrap_or_default(),
                        &number(figure.mean),
                        &number(figure.std),
                        &figure.n.to_string(),
                        &row.seeds.to_string(),
                        &number(figure.paper.map(|paper| paper.mean)),
                        &number(figure.paper.and_then(|paper| paper.std)),
                        &number(figure.difference),
                        &row.differs.join("; "),
                    ])?;
                }
            }
        }
    }
    Ok(table.into_inner()?)
}

/// Every run: what became of it, on how many images, and how long it took.
pub(super) fn runs(out: &Path, grid: &Grid) -> anyhow::Result<Vec<u8>> {
    const COLUMNS: [(&str, &str); 11] = [
        ("image_auroc", "/last/image/image_auroc"),
        ("best_epoch", "/best_on_validation/epoch"),
        ("normal", "/training/normal"),
        ("labelled_anomalous", "/training/labelled_anomalous"),
        ("validation", "/training/validation"),
        ("test_normal", "/last/counts/normal"),
        ("test_anomalous", "/last/counts/anomalous"),
        ("training_seconds", "/seconds/training"),
        ("evaluation_seconds", "/seconds/evaluation"),
        ("device", "/device"),
        ("weights", "/weights"),
    ];
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(
        ["run", "images", "state", "reason"]
            .into_iter()
            .chain(COLUMNS.map(|(name, _)| name)),
    )?;
    for run in &grid.runs {
        let (state, reason, report) = match Folder::of(out, run).state(run) {
            State::Finished(report) => ("finished", String::new(), report),
            State::Failed(reason) => ("failed", reason, Value::Null),
            State::Unfinished => ("not done", String::new(), Value::Null),
        };
        let images = if run.synthetic { "SYNTHETIC" } else { "real" };
        let cell = |(_, pointer): (&str, &str)| match report.pointer(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let first = [run.id.clone(), images.to_owned(), state.to_owned(), reason];
        table.write_record(first.into_iter().chain(COLUMNS.map(cell)))?;
    }
    Ok(table.into_inner()?)
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
