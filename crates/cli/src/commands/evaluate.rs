use std::path::PathBuf;

use ckaad_data::MaskRule;
use ckaad_engine::evaluation::{EvaluateOptions, TestFolder};
use ckaad_engine::{RunFolder, evaluate_run};
use ckaad_report::run_page;

use crate::Global;
use crate::data_args::absolute;
use crate::flag_values::named;
use crate::output::{print, print_json, print_lines, report_text};
use crate::page;
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad evaluate runs/xray
  ckaad evaluate runs/mine --test new/test --masks new/masks --out results")]
pub(crate) struct Args {
    /// Folder of a finished run
    run: PathBuf,
    /// Folder of other test images, one sub-folder per class; also where those of the run have moved
    #[arg(long, value_name = "DIR")]
    test: Option<PathBuf>,
    /// Folder of masks of those images
    #[arg(long, requires = "test", value_name = "DIR")]
    masks: Option<PathBuf>,
    /// Name of the folder of test images that are normal, where it is none of the usual ones
    #[arg(long, requires = "test", value_name = "NAME")]
    normal_class: Option<String>,
    /// When a mask's pixel is anomalous: over one half, or any value but 0
    #[arg(long, requires = "test", value_parser = named(MaskRule::ALL))]
    mask_rule: Option<MaskRule>,
    /// Folder for report.html, report.json and predictions.csv, instead of the run's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace results that are in that folder
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Also report what the images give away without any network: thumbnails, brightness, contrast, picture and file size, near-duplicates
    #[arg(long)]
    controls: bool,
    /// Write no report.html
    #[arg(long)]
    no_html: bool,
}

/// Evaluates a run and writes its reports.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    let folder = RunFolder::open(&args.run)?;
    let masks = absolute(args.masks)?;
    let test = absolute(args.test)?.map(|images| TestFolder {
        images,
        masks,
        normal_class: args.normal_class,
        mask_rule: args.mask_rule,
    });
    let options = EvaluateOptions {
        test,
        out: args.out,
        overwrite: args.overwrite,
        controls: args.controls,
    };
    let report = evaluate_run(&folder, &options, &global.device, &device, &|event| {
        display.show(event)
    })?;
    let out = options.out.as_deref().unwrap_or(folder.path());
    let page = out.join(page::FILE);
    if !args.no_html {
        let data = page::of_run(&folder, out, &device, &|event| display.show(event))?;
        page::write(&run_page(&data), &page, None)?;
    }
    if global.json {
        print_json(&report)?;
    } else {
        print_lines(&report_text(&report))?;
        if !args.no_html {
            print(format_args!("report: {}", page.display()))?;
        }
        print(format_args!(
            "figures: {}",
            out.join("report.json").display()
        ))?;
        print(format_args!(
            "scores: {}",
            out.join("predictions.csv").display()
        ))?;
    }
    match &report.last.pixels_omitted {
        Some(omitted) if omitted.failed => anyhow::bail!(
            "figures of pixels cannot be had: {}; all others were written",
            omitted.reason
        ),
        _ => Ok(()),
    }
}
