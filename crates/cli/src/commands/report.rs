use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_engine::{RunFolder, comparison};
use ckaad_report::{Page, comparison_page, run_page};
use serde_json::json;

use crate::Global;
use crate::output::{print, print_json};
use crate::page;
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad report runs/mine
  ckaad report comparison --plots plots
  ckaad report runs/a runs/b --out a-and-b.html")]
pub(crate) struct Args {
    /// Folder of an evaluated run, or of a comparison; of several runs, to compare them
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The page; report.html in the folder if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write each plot into this folder, too (SVG)
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

/// Writes the page of a run, of a comparison, or of several runs.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let out = match (args.out, args.runs.as_slice()) {
        (Some(out), _) => out,
        (None, [lone]) => lone.join(page::FILE),
        (None, _) => anyhow::bail!("name the page of several runs by --out FILE"),
    };
    let page = match args.runs.as_slice() {
        [lone] => of_one(lone, global)?,
        several => comparison_page(&page::of_runs(several)?),
    };
    page::write(&page, &out, args.plots.as_deref())?;
    if global.json {
        return print_json(&json!({"report": out, "plots": args.plots}));
    }
    print(format_args!("report: {}", out.display()))
}

fn of_one(folder: &Path, global: &Global) -> anyhow::Result<Page> {
    if folder.join(comparison::FILE).is_file() {
        return Ok(comparison_page(&page::of_comparison(folder)?));
    }
    let run =
        RunFolder::open(folder).context("a run or a comparison is needed, and there is neither")?;
    let display = Display::new();
    let device = global.open_device()?;
    let data = page::of_run(&run, folder, &device, &|event| display.show(event))?;
    Ok(run_page(&data))
}
