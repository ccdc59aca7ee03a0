use std::path::PathBuf;

use anyhow::Context;
use ckaad_detectors::DetectorSettings;
use ckaad_engine::comparison::{Comparison, Estimate, Plan, Ranking, detectors, detectors_named};
use ckaad_engine::{Config, RunFolder, TrainContext};
use ckaad_report::comparison_page;
use clap::builder::PossibleValuesParser;

use crate::Global;
use crate::backbone::{self, Network};
use crate::closing::span;
use crate::data_args::DataArgs;
use crate::failure::Advised;
use crate::interrupt::Interrupt;
use crate::output::{note, print, print_json, print_lines};
use crate::page;
use crate::progress::Display;
use crate::setting_args::SettingArgs;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad compare --normal good/ --anomalous bad/ --test test/ --out comparison --pick best
  ckaad compare --layout chest-xray --data ChestXRay2017 --labelled-ratio 0.05 --detectors probe,ckaad --epochs 10 --out comparison

The same command goes on with a comparison that was stopped.")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Folder for the comparison: a run of each detector, report.html and comparison.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Systems to compare, separated by commas; by default those that take minutes
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with_all = ["detector", "method"],
        value_parser = PossibleValuesParser::new(DetectorSettings::NAMES.iter().copied()))]
    detectors: Option<Vec<String>>,
    /// Copy the recommended model into this folder
    #[arg(long, value_name = "DIR")]
    pick: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Compares, and goes on comparing.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    let by_default = args.detectors.is_none();
    let tables = match args.detectors {
        Some(names) => detectors_named(names)?,
        None => detectors()?,
    };
    let file = args.settings.config.clone();
    let overrides = args.settings.overrides(args.data)?;
    let configs = Config::resolve_each(file.as_deref(), &overrides, &tables)?;
    let first = configs.first().context("no detector to compare")?;
    let (backbone, weights) = backbone::open(first, Network::Allowed, &device, &display)?
        .context("no weights at hand")?;
    let interrupt = Interrupt::watch()?;
    let context = TrainContext {
        backbone: &backbone,
        weights: &weights,
        device: &device,
        observer: &|event| {
            interrupt.observe(event);
            display.show(event);
        },
        stop: interrupt.stop(),
    };
    let plan = Plan::new(configs, by_default, &args.out, context)?;
    let estimate = plan.estimate();
    display.line(&format!(
        "comparing {}; features of {} images once for all: about {} and {} MiB, training on top{}",
        plan.names().join(", "),
        estimate.images,
        span(estimate.feature_seconds),
        estimate.feature_bytes >> 20,
        training_text(&estimate)
    ));
    let Some(comparison) = plan.run(&estimate)? else {
        anyhow::bail!(Advised::new("stopped", "the same command goes on"));
    };
    let page = args.out.join(page::FILE);
    let data = page::of_comparison(&args.out, &device, &|event| display.show(event))?;
    page::write(&comparison_page(&data), &page, None)?;
    if global.json {
        print_json(&comparison)?;
    } else {
        print_lines(&table(&comparison))?;
        print(format_args!("report: {}", page.display()))?;
        print(format_args!(
            "figures: {}",
            args.out.join("comparison.json").display()
        ))?;
    }
    match (&args.pick, &comparison.recommended) {
        (Some(pick), Some(verdict)) => {
            let model = RunFolder::open(&args.out.join(&verdict.detector))?.model();
            let bytes = std::fs::read(&model).context("cannot read the recommended model")?;
            let to = pick.join("model.safetensors");
            ckaad_files::write(&to, &bytes)?;
            note(format_args!("picked: {}", to.display()));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `: about 12 min for ckaad`; of those that take no epochs nothing is known beforehand.
fn training_text(estimate: &Estimate) -> String {
    let each = estimate.training_seconds.iter();
    let each: Vec<String> = each
        .map(|(name, seconds)| format!("{} for {name}", span(*seconds)))
        .collect();
    match each.is_empty() {
        true => String::new(),
        false => format!(": about {}", each.join(", ")),
    }
}

/// A comparison for people, without the end of its last line.
fn table(comparison: &Comparison) -> String {
    let mut lines = vec![format!(
        "{:<14} {:<22} {:<22} {:>9} {:>9} {:>9}",
        "", "validation AUROC, %", "test AUROC, %", "training", "an image", "model"
    )];
    for figures in &comparison.detectors {
        let mark = match figures.not_above_control {
            Some(_) => "*",
            None => "",
        };
        lines.push(format!(
            "{:<14} {:<22} {:<22} {:>7.1} s {:>6.1} ms {:>5} MiB",
            format!("{}{mark}", figures.name),
            percent(figures.validation),
            percent(figures.test),
            figures.training_seconds,
            figures.milliseconds_per_image,
            figures.model_bytes >> 20
        ));
    }
    for control in &comparison.controls {
        lines.push(format!(
            "({:<13} {:<22} {:<22} control",
            format!("{})", control.name),
            percent(control.validation),
            percent(control.test)
        ));
    }
    let (near, images) = (comparison.near_duplicates, comparison.images);
    lines.push(format!(
        "nearly the same as a training image: {} of {} validation images, {} of {} test images",
        near.validation, images.validation, near.test, images.test
    ));
    let unclear = comparison.detectors.iter();
    if unclear.clone().any(|of| of.not_above_control.is_some()) {
        lines.push("* not clearly better on validation than a control, which sees no more than its name says".to_owned());
    }
    if let Some(verdict) = &comparison.recommended {
        lines.push(format!(
            "recommended: {}. {}",
            verdict.detector, verdict.reason
        ));
    }
    lines.join("\n")
}

/// `95.1 (93.0 to 97.2)`.
fn percent(ranking: Option<Ranking>) -> String {
    match ranking {
        None => "-".to_owned(),
        Some(ranking) => {
            let auroc = format!("{:.1}", 100.0 * ranking.auroc);
            match ranking.interval {
                None => auroc,
                Some([low, high]) => {
                    format!("{auroc} ({:.1} to {:.1})", 100.0 * low, 100.0 * high)
                }
            }
        }
    }
}
