use std::path::PathBuf;

use anyhow::Context;
use ckaad_engine::{
    ActiveRun, CheckedConfig, Config, Outcome, Overrides, RunFolder, TrainContext, resume, train,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::backbone::{self, Network};
use crate::closing;
use crate::data_args::DataArgs;
use crate::failure::Advised;
use crate::interrupt::Interrupt;
use crate::output::{note, print, print_json, print_lines};
use crate::progress::Display;
use crate::setting_args::SettingArgs;

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

/// A finished training.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Trained {
    /// `finished`.
    outcome: &'static str,
    /// The folder of the run.
    run: PathBuf,
    /// The model file.
    model: PathBuf,
}

/// Trains, or goes on training.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let device = global.open_device()?;
    let (start, config) = match (args.resume, args.out) {
        (Some(run), _) => {
            let folder = ActiveRun::open(&run)?;
            let config = resumed(&folder, args.settings)?;
            (Start::Resume(folder), config)
        }
        (None, Some(out)) => {
            let file = args.settings.config.clone();
            let overrides = args.settings.overrides(args.data)?;
            let config = Config::resolve(file.as_deref(), overrides)?;
            RunFolder::check_free(&out)?;
            (Start::New(out), config)
        }
        (None, None) => anyhow::bail!("--out is missing"),
    };
    let (backbone, weights) = backbone::open(&config, Network::Allowed, &device, &display)?
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
    let outcome = match &start {
        Start::New(out) => train(&config, out, context)?,
        Start::Resume(folder) => resume(&config, folder, context)?,
    };
    let folder = match &start {
        Start::New(out) => RunFolder::open(out)?,
        Start::Resume(folder) => RunFolder::clone(folder),
    };
    let path = folder.path().display();
    match outcome {
        Outcome::Finished if global.json => print_json(&Trained {
            outcome: "finished",
            run: folder.path().to_owned(),
            model: folder.model(),
        }),
        Outcome::Finished => {
            print(format_args!("trained: {path}"))?;
            print_lines(&closing::trained(&folder, &device)?)?;
            note(format_args!(
                "next: ckaad evaluate {path}, or ckaad predict {path} IMAGES --out DIR"
            ));
            Ok(())
        }
        Outcome::Stopped => {
            let hint = format!("go on by: ckaad train --resume {path}");
            anyhow::bail!(Advised::new("stopped", hint))
        }
    }
}

/// The settings of a run that is gone on with: its own, but it may be given more epochs, and features may be kept elsewhere.
fn resumed(folder: &RunFolder, given: SettingArgs) -> anyhow::Result<CheckedConfig> {
    let mut overrides = given.overrides(DataArgs::default())?;
    let mut changes = std::mem::take(&mut overrides.table);
    if let Some(epochs) = overrides.epochs.take() {
        changes.insert("epochs".to_owned(), i64::try_from(epochs)?.into());
    }
    let may = |key: &String| Config::CHANGEABLE.contains(&key.as_str());
    let all_may = overrides == Overrides::default() && changes.keys().all(may);
    anyhow::ensure!(all_may, only());
    Ok(Config::resumed(folder, changes)?)
}

fn only() -> Advised {
    Advised::new(
        "a run goes on with its own settings",
        "--resume takes --epochs besides, and --set of feature_cache_mib and feature_cache_dir; other settings need a new run",
    )
}

enum Start {
    New(PathBuf),
    Resume(ActiveRun),
}
