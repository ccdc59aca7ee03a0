//! All data sets in one table, in the paper's shape.

use super::markdown::{NONE, find, paper, paper_figures, table, value};
use super::measured::{Results, RowResults};
use crate::bench::grid::Grid;

/// The paper's own shape: a column per data set and figure, last epoch, oracle thresholds.
pub(super) fn render(grid: &Grid, results: &Results) -> String {
    let mut columns = vec!["method".to_owned(), String::new()];
    for section in &grid.sections {
        for figure in paper_figures(section.measures) {
            columns.push(format!(
                "{} {}",
                section.title,
                figure.key.to_uppercase().replace('_', " ")
            ));
        }
    }
    // Rows without labels come last: where another data set has the same method with labels, they share its line.
    let rows = || results.sections.iter().flat_map(|section| &section.rows);
    let (with, without): (Vec<_>, Vec<_>) = rows()
        .filter(|row| in_overview(row))
        .partition(|row| row.labelled_ratio.is_some());
    let mut keys: Vec<&RowResults> = Vec::new();
    for row in with.into_iter().chain(without) {
        if !keys.iter().any(|key| share_a_line(key, row)) {
            keys.push(row);
        }
    }
    let mut lines = Vec::new();
    for key in keys {
        let mut ours = vec![overview_name(key), ours(grid).to_owned()];
        let mut papers = vec![String::new(), "paper".to_owned()];
        for (section, measured) in grid.sections.iter().zip(&results.sections) {
            let row = measured
                .rows
                .iter()
                .find(|row| in_overview(row) && share_a_line(key, row));
            let last = row.and_then(|row| row.models.first());
            for figure in paper_figures(section.measures) {
                let found = last.and_then(|model| find(model, figure));
                ours.push(found.map_or(NONE.to_owned(), |found| value(found, found.n)));
                papers.push(paper(found.and_then(|found| found.paper)));
            }
        }
        lines.push(ours);
        lines.push(papers);
    }
    format!(
        "\n## All data sets (last epoch, oracle thresholds)\n\n{}",
        table(&columns, &lines)
    )
}

fn ours(grid: &Grid) -> &'static str {
    if grid.synthetic {
        "ours (SYNTHETIC)"
    } else {
        "ours"
    }
}

/// Categories are shown by their mean.
fn in_overview(row: &RowResults) -> bool {
    row.category
        .as_deref()
        .is_none_or(|category| category == "mean")
}

/// Whether a line can hold both rows: equal, or one of them from data without labels.
fn share_a_line(key: &RowResults, row: &RowResults) -> bool {
    let same_labels = (key.labelled_ratio, key.k) == (row.labelled_ratio, row.k);
    let no_labels = key.labelled_ratio.is_none() || row.labelled_ratio.is_none();
    key.method == row.method && key.norm == row.norm && (same_labels || no_labels)
}

fn overview_name(row: &RowResults) -> String {
    let mut name = row.method.clone();
    if let Some(ratio) = row.labelled_ratio {
        name.push_str(&format!(", r_l = {ratio}"));
    }
    if let Some(k) = row.k {
        name.push_str(&format!(", k = {k}"));
    }
    if row.norm != "instance" {
        name.push_str(&format!(", {} norm", row.norm));
    }
    name
}
