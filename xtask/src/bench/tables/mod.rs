//! Tables: ours beside the paper's, as Markdown, CSV and JSON.

mod csv;
mod differences;
mod markdown;
mod measured;
mod overview;
mod statistics;

use std::path::Path;

use super::grid::Grid;
use measured::Results;

/// Writes the tables of the benchmark in `folder` from the runs in `out`, whatever is finished of them; the Markdown.
/// `absent` says which data sets are not at hand.
pub(crate) fn write_all(out: &Path, folder: &Path, absent: &[String]) -> anyhow::Result<String> {
    let grid = Grid::read(&folder.join("grid.json"))?;
    let results = Results::gather(out, &grid);
    let markdown = markdown::render(&grid, &results, absent);
    ckaad_files::write(&folder.join("table.md"), markdown.as_bytes())?;
    ckaad_files::write(&folder.join("table.csv"), &csv::table(&grid, &results)?)?;
    let json = serde_json::to_string_pretty(&results)?;
    ckaad_files::write(&folder.join("table.json"), json.as_bytes())?;
    ckaad_files::write(&folder.join("runs.csv"), &csv::runs(out, &grid)?)?;
    Ok(markdown)
}
