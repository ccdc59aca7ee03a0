use std::path::PathBuf;

use anyhow::Context;
use ckaad_data::{Layout, SynthSize, list_images, synth_demo};
use ckaad_detectors::ckaad::Method;
use ckaad_engine::config::{DataConfig, FeatureSource};
use ckaad_engine::evaluation::EvaluateOptions;
use ckaad_engine::scoring::{HeatStyle, PredictOptions, predict_files};
use ckaad_engine::{
    Config, Outcome, Overrides, Predictor, RunFolder, TrainContext, evaluate_run, train,
};
use ckaad_report::run_page;
use std::sync::atomic::Ordering;

use crate::Global;
use crate::backbone::{self, Network};
use crate::failure::Advised;
use crate::flag_values::named;
use crate::interrupt::Interrupt;
use crate::output::{print, print_json, print_lines, report_text};
use crate::page;
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Example: ckaad demo --out demo")]
pub(crate) struct Args {
    /// Folder for the report, the synthetic data set, the run and the heat maps; must not exist
    #[arg(long, value_name = "DIR", default_value = "ckaad-demo")]
    out: PathBuf,
    /// Seed of the pictures and of the training
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Passes over the normal images
    #[arg(long, default_value_t = 8)]
    epochs: usize,
    /// How anomalous images are used while training
    #[arg(long, default_value_t, value_parser = named(Method::ALL))]
    method: Method,
}

/// Draws, trains, evaluates, predicts.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    anyhow::ensure!(
        !args.out.exists(),
        Advised::new(
            format!("{} exists already", args.out.display()),
            "choose another folder by --out"
        )
    );
    let data = args.out.join("synthetic-data");
    display.line("drawing a synthetic data set: woven texture, some pieces with a defect");
    synth_demo(&data, args.seed, SynthSize::default())?;

    let run = args.out.join("run");
    let mut config = Config::resolve(None, settings(&args, &data)?)?;
    let (backbone, weights) = match backbone::open(&config, Network::Forbidden, &device, &display)?
    {
        Some(found) => found,
        None => {
            display.line(
                "no pretrained weights at hand: using seeded random features, which are much weaker \
                 (`ckaad weights fetch resnet18` downloads pretrained ones)",
            );
            let random = Config {
                features: FeatureSource::Random,
                ..config.into_inner()
            };
            config = random.check()?;
            backbone::open(&config, Network::Forbidden, &device, &display)?
                .context("random features")?
        }
    };
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
    let outcome = train(&config, &run, context)?;
    let folder = RunFolder::open(&run)?;
    if outcome == Outcome::Stopped {
        let hint = format!("go on by: ckaad train --resume {}", folder.path().display());
        anyhow::bail!(Advised::new("stopped", hint));
    }
    anyhow::ensure!(
        !interrupt.stop().load(Ordering::Relaxed),
        "stopped after training"
    );
    interrupt.training_is_over();
    let report = evaluate_run(
        &folder,
        &EvaluateOptions::default(),
        &global.device,
        &device,
        &|event| display.show(event),
    )?;

    let data_of_page = page::of_run(&folder, folder.path(), &device, &|event| {
        display.show(event)
    })?;
    let page = args.out.join(page::FILE);
    page::write(&run_page(&data_of_page), &page, None)?;

    let predictor = Predictor::open(&folder.model(), None, &device)?;
    let heatmaps = args.out.join("heatmaps");
    let images = list_images(&[data.join("weave/test")], &[])?.images;
    let options = PredictOptions {
        threshold: predictor.info().threshold.value,
        reading: predictor.info().preprocessing.reading,
        overlays: true,
        heat: HeatStyle::default(),
        raw: None,
        regions: false,
        overwrite: false,
    };
    predict_files(&predictor, &images, &heatmaps, &options, &|event| {
        display.show(event)
    })?;
    if global.json {
        return print_json(&report);
    }
    print(format_args!(
        "results on SYNTHETIC pictures, with {weights}:"
    ))?;
    print_lines(&report_text(&report))?;
    print(format_args!("report:    {}", page.display()))?;
    print(format_args!("pictures:  {}", data.display()))?;
    print(format_args!("heat maps: {}", heatmaps.display()))?;
    print(format_args!("figures:   {}", folder.report().display()))
}

fn settings(args: &Args, data: &std::path::Path) -> anyhow::Result<Overrides> {
    let method = args.method.to_string();
    Ok(Overrides {
        image_size: Some(128),
        batch: Some(16),
        seed: Some(args.seed),
        epochs: Some(args.epochs),
        table: toml::toml! { detector = { method = method } },
        data: DataConfig {
            layout: Some(Layout::MvtecAd),
            category: Some("weave".to_owned()),
            root: Some(std::path::absolute(data)?),
            ..DataConfig::default()
        },
        ..Overrides::default()
    })
}
