use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_backbone::{Precision, ResNetVariant};
use ckaad_engine::{
    AnomalySource, Config, Method, Outcome, Preset, RunFolder, Surroundings, merge, resume, train,
};
use serde_json::json;
use toml::{Table, Value};

use crate::Global;
use crate::backbone::{self, Network};
use crate::data_args::{DataArgs, path_text};
use crate::interrupt::Interrupt;
use crate::names::one_of;
use crate::output::{print, print_json};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad train --normal good/ --anomalous bad/ --test test/ --out runs/mine
  ckaad train --layout chest-xray --data ChestXRay2017 --labelled-ratio 0.05 --out runs/xray
  ckaad train --resume runs/xray")]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Folder for the run; must not exist
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder, with its own settings (--epochs may give it more)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "DataArgs"])]
    resume: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingArgs,
}

/// Settings that have a flag of their own.
#[derive(clap::Args)]
#[command(next_help_heading = "Settings")]
struct SettingArgs {
    /// Settings file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Settings to start from
    #[arg(long, value_parser = one_of(Preset::ALL))]
    preset: Option<String>,
    /// How anomalous images are used while training
    #[arg(long, value_parser = one_of(Method::ALL))]
    method: Option<String>,
    /// Network that turns images into features
    #[arg(long, value_parser = one_of(ResNetVariant::ALL))]
    backbone: Option<String>,
    /// How exactly convolutions and linear layers multiply
    #[arg(long, value_parser = one_of(Precision::ALL))]
    precision: Option<String>,
    /// Side of the resized images in pixels
    #[arg(long, value_name = "PIXELS")]
    image_size: Option<i64>,
    /// Normal images per step
    #[arg(long)]
    batch: Option<i64>,
    /// Passes over the normal images
    #[arg(long)]
    epochs: Option<i64>,
    /// Share of labelled anomalous images among all training images; all there are if not given
    #[arg(long, value_name = "RATIO")]
    labelled_ratio: Option<f64>,
    /// Where anomalous images come from
    #[arg(long, value_parser = one_of(AnomalySource::ALL))]
    anomalies: Option<String>,
    /// Seed of everything random
    #[arg(long)]
    seed: Option<i64>,
    /// Weights file of the backbone
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Use seeded random features instead of pretrained ones
    #[arg(long, conflicts_with = "weights")]
    random_features: bool,
    /// Keep images of one patient or lesion together, where the data names them
    #[arg(long)]
    group_by: bool,
    /// Any setting, as TOML: --set lambda=0.05 --set 'norm="batch"'
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl SettingArgs {
    fn table(&self) -> anyhow::Result<Table> {
        let mut table = Table::new();
        let texts = [
            ("preset", &self.preset),
            ("method", &self.method),
            ("backbone", &self.backbone),
            ("precision", &self.precision),
            ("anomalies", &self.anomalies),
            ("weights", &path_text(&self.weights)?),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                table.insert(key.to_owned(), Value::String(value.clone()));
            }
        }
        let numbers = [
            ("image_size", self.image_size),
            ("batch", self.batch),
            ("epochs", self.epochs),
            ("seed", self.seed),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                table.insert(key.to_owned(), Value::Integer(value));
            }
        }
        if let Some(ratio) = self.labelled_ratio {
            table.insert("labelled_ratio".to_owned(), Value::Float(ratio));
        }
        if self.random_features {
            table.insert("features".to_owned(), Value::String("random".to_owned()));
        }
        if self.group_by {
            table.insert("group_by".to_owned(), Value::Boolean(true));
        }
        for setting in &self.set {
            let parsed: Table = setting.parse().with_context(|| {
                format!("--set {setting}: not a TOML setting (texts need quotes)")
            })?;
            merge(&mut table, parsed);
        }
        Ok(table)
    }
}

/// Trains, or goes on training.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    let (start, config) = match (&args.resume, &args.out) {
        (Some(run), _) => {
            let folder = RunFolder::open(run)?;
            let config = resumed(&folder, args.settings.table()?)?;
            (Start::Resume(folder), config)
        }
        (None, Some(out)) => {
            let mut settings = args.settings.table()?;
            merge(&mut settings, args.data.settings()?);
            let file = args.settings.config.as_deref();
            let config = Config::resolve(file, args.data.defaults(), settings)?;
            RunFolder::check_free(out)?;
            (Start::New(out), config)
        }
        (None, None) => anyhow::bail!("--out is missing"),
    };
    let (backbone, weights) = backbone::open(&config, Network::Allowed, &device, &display)?
        .context("no weights at hand")?;
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
    let outcome = match &start {
        Start::New(out) => train(&config, out, surroundings)?,
        Start::Resume(folder) => resume(&config, folder, surroundings)?,
    };
    let folder = match start {
        Start::New(out) => RunFolder::open(out)?,
        Start::Resume(folder) => folder,
    };
    let path = folder.path().display();
    match outcome {
        Outcome::Finished if global.json => print_json(
            &json!({"outcome": "finished", "run": folder.path(), "model": folder.model()}),
        ),
        Outcome::Finished => {
            print(format_args!("trained: {}", folder.model().display()))?;
            print(format_args!(
                "next: ckaad evaluate {path}, or ckaad predict {path} IMAGES --out DIR"
            ))
        }
        Outcome::Stopped => anyhow::bail!("stopped; go on by: ckaad train --resume {path}"),
    }
}

/// The settings of a run that is gone on with: its own, but it may be given more epochs, and features may be kept elsewhere.
fn resumed(folder: &RunFolder, mut given: Table) -> anyhow::Result<Config> {
    let mut config = Config::read(&folder.config())?;
    if let Some(Value::Integer(epochs)) = given.remove("epochs") {
        config.epochs = usize::try_from(epochs).context("--epochs must be at least 1")?;
    }
    if let Some(Value::Integer(mib)) = given.remove("feature_cache_mib") {
        config.feature_cache_mib = usize::try_from(mib).context("feature_cache_mib is negative")?;
    }
    if let Some(Value::String(folder)) = given.remove("feature_cache_dir") {
        config.feature_cache_dir = Some(std::path::absolute(folder)?);
    }
    let others: Vec<&String> = given.keys().collect();
    anyhow::ensure!(
        others.is_empty(),
        "a run goes on with its own settings; --resume takes --epochs, feature_cache_mib and feature_cache_dir besides, not \
         {others:?}"
    );
    Ok(config)
}

enum Start<'a> {
    New(&'a Path),
    Resume(RunFolder),
}
