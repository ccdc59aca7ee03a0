use std::path::PathBuf;

use ckaad_engine::{RunFolder, evaluate_run};

use crate::Global;
use crate::output::{print, print_json, report_text};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Example: ckaad evaluate runs/xray")]
pub(crate) struct Args {
    /// Folder of a finished run
    run: PathBuf,
}

/// Evaluates a run and writes its report.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    let folder = RunFolder::open(&args.run)?;
    let report = evaluate_run(&folder, &global.device, &device, &|event| {
        display.show(event)
    })?;
    if global.json {
        return print_json(&report);
    }
    print(report_text(&report))?;
    print(format_args!("report: {}", folder.report().display()))?;
    print(format_args!("scores: {}", folder.predictions().display()))
}
