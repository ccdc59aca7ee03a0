use std::path::{Path, PathBuf};

use ckaad_engine::training::Event;
use ckaad_engine::{RunFolder, comparison};
use ckaad_report::{Page, benchmark_page, comparison_page, run_page};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::failure::Advised;
use crate::output::{print, print_json};
use crate::page;
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad report runs/mine
  ckaad report comparison --plots plots
  ckaad report runs/a runs/b --out a-and-b.html
  ckaad report benchmarks")]
pub(crate) struct Args {
    /// Folder of an evaluated run, of a comparison, or of runs such as a benchmark's; of several runs, to compare them
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The page; report.html in the folder if not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write each plot into this folder, too (SVG)
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

/// What was written.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Written {
    /// The page.
    report: PathBuf,
    /// The folder of plots, if one was named.
    plots: Option<PathBuf>,
}

/// Writes the page of a run, of a comparison, of several runs, or of a folder of them.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let out = match (args.out, args.runs.as_slice()) {
        (Some(out), _) => out,
        (None, [lone]) => lone.join(page::FILE),
        (None, _) => anyhow::bail!(Advised::new(
            "several runs have no folder in common for their page",
            "name it by --out FILE"
        )),
    };
    let page = match args.runs.as_slice() {
        [lone] => of_one(lone, global)?,
        several => comparison_page(&page::of_runs(several)?),
    };
    page::write(&page, &out, args.plots.as_deref())?;
    if global.json {
        return print_json(&Written {
            report: out,
            plots: args.plots,
        });
    }
    print(format_args!("report: {}", out.display()))
}

fn of_one(folder: &Path, global: &Global) -> anyhow::Result<Page> {
    let display = Display::new();
    let device = global.open_device()?;
    let observer = |event: Event<'_>| display.show(event);
    if folder.join(comparison::FILE).is_file() {
        let data = page::of_comparison(folder, &device, &observer)?;
        return Ok(comparison_page(&data));
    }
    let Ok(run) = RunFolder::open(folder) else {
        let runs = page::runs_below(folder);
        anyhow::ensure!(
            !runs.is_empty(),
            Advised::new(
                format!(
                    "{} is no run and no comparison, and has none below it",
                    folder.display()
                ),
                "name the folder that `ckaad train`, `ckaad compare` or a benchmark made"
            )
        );
        return Ok(benchmark_page(&page::of_benchmark(folder, &runs)?));
    };
    let data = page::of_run(&run, folder, &device, &observer)?;
    Ok(run_page(&data))
}
