use std::path::PathBuf;

use anyhow::Context;
use ckaad_data::{SynthSize, synth_demo};
use ckaad_engine::{
    Config, Detector, Method, Outcome, PredictOptions, RunFolder, Surroundings, evaluate_run,
    find_images, predict, train,
};
use std::sync::atomic::Ordering;

use toml::{Table, Value};

use crate::Global;
use crate::backbone::{self, Network};
use crate::data_args::path_text;
use crate::interrupt::Interrupt;
use crate::names::one_of;
use crate::output::{print, print_json, report_text};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Example: ckaad demo --out demo")]
pub(crate) struct Args {
    /// Folder for the synthetic data set, the run and the heat maps; must not exist
    #[arg(long, value_name = "DIR", default_value = "ckaad-demo")]
    out: PathBuf,
    /// Seed of the pictures and of the training
    #[arg(long, default_value_t = 7)]
    seed: u32,
    /// Passes over the normal images
    #[arg(long, default_value_t = 8)]
    epochs: u32,
    /// How anomalous images are used while training
    #[arg(long, default_value_t = Method::default().to_string(), value_parser = one_of(Method::ALL))]
    method: String,
}

/// Draws, trains, evaluates, predicts.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    anyhow::ensure!(
        !args.out.exists(),
        "{} exists already; choose another folder by --out",
        args.out.display()
    );
    let data = args.out.join("synthetic-data");
    display.line("drawing a synthetic data set: woven texture, some pieces with a defect");
    synth_demo(&data, u64::from(args.seed), SynthSize::default())?;

    let run = args.out.join("run");
    let mut config = Config::resolve(None, Table::new(), settings(&args, &data)?)?;
    let (backbone, weights) = match backbone::open(&config, Network::Forbidden, &device, &display)?
    {
        Some(found) => found,
        None => {
            display.line(
                "no pretrained weights at hand: using seeded random features, which are much weaker \
                 (`ckaad weights fetch resnet18` downloads pretrained ones)",
            );
            config.features = ckaad_engine::FeatureSource::Random;
            backbone::open(&config, Network::Forbidden, &device, &display)?
                .context("random features")?
        }
    };
    let interrupt = Interrupt::watch()?;
    let surroundings = Surroundings {
        backbone: &backbone,
        weights: &weights,
        device: &device,
        observer: &|event| {
            interrupt.observe(event);
            display.show(event);
        },
        stop: interrupt.stop(),
    };
    let outcome = train(&config, &run, surroundings)?;
    let folder = RunFolder::open(&run)?;
    if outcome == Outcome::Stopped {
        anyhow::bail!(
            "stopped; go on by: ckaad train --resume {}",
            folder.path().display()
        );
    }
    anyhow::ensure!(
        !interrupt.stop().load(Ordering::Relaxed),
        "stopped after training"
    );
    interrupt.training_is_over();
    let report = evaluate_run(&folder, &global.device, &device, &|event| {
        display.show(event)
    })?;

    let (detector, info) = Detector::load(&folder.model(), None, &device)?;
    let heatmaps = args.out.join("heatmaps");
    let images = find_images(&[data.join("weave/test")], &heatmaps)?;
    let options = PredictOptions {
        overlays: true,
        raw: None,
        skip_bad: false,
    };
    let threshold = info.threshold.value;
    predict(
        &detector,
        threshold,
        &images,
        &heatmaps,
        &options,
        &|event| display.show(event),
    )?;
    if global.json {
        return print_json(&report);
    }
    print(format_args!(
        "results on SYNTHETIC pictures, with {weights}:"
    ))?;
    print(report_text(&report))?;
    print(format_args!("pictures:  {}", data.display()))?;
    print(format_args!("heat maps: {}", heatmaps.display()))?;
    print(format_args!("report:    {}", folder.report().display()))
}

fn settings(args: &Args, data: &std::path::Path) -> anyhow::Result<Table> {
    let root = path_text(&Some(data.to_owned()))?.unwrap_or_default();
    let mut table: Table = toml::toml! {
        image_size = 128
        batch = 16
        [data]
        layout = "mvtec-ad"
        category = "weave"
    };
    table.insert("seed".to_owned(), Value::Integer(args.seed.into()));
    table.insert("epochs".to_owned(), Value::Integer(args.epochs.into()));
    table.insert("method".to_owned(), Value::String(args.method.clone()));
    if let Some(Value::Table(data)) = table.get_mut("data") {
        data.insert("root".to_owned(), Value::String(root));
    }
    Ok(table)
}
