//! The `ckaad` command line: a thin layer over `ckaad-engine`.

// These panic once nobody reads what they print; `output` does not.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod backbone;
mod closing;
mod commands;
mod data_args;
mod escape;
mod failure;
mod file_size;
mod flag_values;
mod generate;
mod interrupt;
mod output;
mod page;
mod progress;
mod setting_args;

use std::process::ExitCode;

use anyhow::Context;
use ckaad_detectors::DetectorError;
use ckaad_device::{Device, DeviceError, DeviceSpec};
use ckaad_engine::EngineError;
use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: ckaad_allocator::Recycler = ckaad_allocator::Recycler::new();

/// Fine-grained visual anomaly detection from normal images and a few coarsely labelled anomalies
#[derive(Parser)]
#[command(
    version,
    args_override_self = true,
    after_help = "Try it without any data: ckaad demo"
)]
struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// Most threads that are started.
const THREADS: u64 = 1024;

/// Options of every command.
#[derive(clap::Args)]
struct Global {
    /// Where to compute: cpu, cuda, wgpu, vulkan, metal, with a number as in cuda:1 where there are several
    #[arg(
        long,
        global = true,
        default_value = "cpu",
        env = "CKAAD_DEVICE",
        hide_env_values = true
    )]
    device: String,
    /// Threads for the CPU's share of the work; as many as there are cores if not given
    #[arg(long, global = true, value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS))]
    threads: Option<usize>,
    /// Print the result as JSON on standard output
    #[arg(long, global = true)]
    json: bool,
}

impl Global {
    fn open_device(&self) -> anyhow::Result<Device> {
        Ok(self.device.parse::<DeviceSpec>()?.open()?)
    }
}

#[derive(Subcommand)]
enum Command {
    /// Train a detector
    Train(Box<commands::train::Args>),
    /// Train several detectors on the same images and recommend one
    Compare(Box<commands::compare::Args>),
    /// Evaluate a trained run on its test images
    Evaluate(commands::evaluate::Args),
    /// Write results as a page to look at; of several runs, to compare them
    Report(commands::report::Args),
    /// Score images and draw heat maps
    Predict(commands::predict::Args),
    /// Write a model for other programs: as an ONNX graph, or its networks for PyTorch
    Export(commands::export::Args),
    /// Pretrained backbone weights: list them, fetch them, say where they are
    Weights(commands::weights::Args),
    /// Data sets: list those known, check a copy
    Datasets(commands::datasets::Args),
    /// List the devices that this build can use on this machine
    Devices,
    /// Train, evaluate and predict on a small synthetic data set, without data, weights or network
    Demo(commands::demo::Args),
    /// Write what is made from the program itself: shell completions, man pages, JSON schemas, the reference of commands and settings
    #[command(hide = true)]
    Generate(generate::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    file_size::make_limit_an_error();
    progress::init_logging();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure::tell(&error);
            if is_usage(&error) {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Whether what was asked for can never be, whatever the files say.
fn is_usage(error: &anyhow::Error) -> bool {
    let settings = matches!(
        error.downcast_ref(),
        Some(
            EngineError::Config { .. }
                | EngineError::Setting { .. }
                | EngineError::Detector(DetectorError::Setting { .. })
        )
    );
    settings || matches!(error.downcast_ref(), Some(DeviceError::Unknown { .. }))
}

fn run(args: Args) -> anyhow::Result<()> {
    let global = args.global;
    if let Some(threads) = global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot set the number of threads")?;
    }
    match args.command {
        Command::Train(args) => commands::train::run(*args, &global),
        Command::Compare(args) => commands::compare::run(*args, &global),
        Command::Evaluate(args) => commands::evaluate::run(args, &global),
        Command::Report(args) => commands::report::run(args, &global),
        Command::Predict(args) => commands::predict::run(args, &global),
        Command::Export(args) => commands::export::run(args, &global),
        Command::Weights(args) => commands::weights::run(args, &global),
        Command::Datasets(args) => commands::datasets::run(args, &global),
        Command::Devices => commands::devices::run(&global),
        Command::Demo(args) => commands::demo::run(args, &global),
        Command::Generate(args) => generate::run(args, &global),
    }
}
