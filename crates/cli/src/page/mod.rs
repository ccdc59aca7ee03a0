//! Pages of results: what they show is gathered here, `ckaad-report` draws it.

mod benchmark;
mod comparison;
mod figures;
mod gallery;
mod joint;
mod kinds;
mod run;

use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_report::Page;

pub(crate) use benchmark::{of_benchmark, runs_below};
pub(crate) use comparison::{of_comparison, of_runs};
pub(crate) use run::of_run;

/// The page, in the folder of results.
pub(crate) const FILE: &str = "report.html";

/// Writes a page, and its plots into a folder if one is named.
pub(crate) fn write(page: &Page, file: &Path, plots: Option<&Path>) -> anyhow::Result<()> {
    ckaad_files::write(file, page.html.as_bytes())?;
    let Some(folder) = plots else { return Ok(()) };
    ckaad_files::make_folder(folder)?;
    for plot in &page.plots {
        let file = folder.join(format!("{}.svg", plot.name));
        ckaad_files::write(&file, plot.svg.as_bytes())?;
    }
    Ok(())
}

/// What to do with a run that has no results yet.
fn evaluate_first(run: &Path) -> String {
    format!("evaluate the run first: ckaad evaluate {}", run.display())
}

/// What a folder is called, wherever it is seen from.
fn name_of(folder: &Path) -> anyhow::Result<String> {
    let folder: PathBuf = folder
        .canonicalize()
        .with_context(|| format!("cannot find {}", folder.display()))?;
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    Ok(name.to_string_lossy().into_owned())
}
