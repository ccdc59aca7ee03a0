//! `cargo xtask parity`: the networks and the training step against figures recorded from an independent implementation.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Args;

use crate::precision::Precision;

/// What is compared, and where.
#[derive(Debug, Args)]
pub(crate) struct ParityArgs {
    /// Case files
    #[arg(required_unless_present = "systems", value_name = "CASE.json")]
    cases: Vec<PathBuf>,
    /// Figures of the compared systems
    #[arg(long, num_args = 1.., value_name = "FIGURES.json")]
    systems: Vec<PathBuf>,
    /// Compute figures of systems in double instead of single precision, by burn's operators; without it, in single first, and in
    /// double where gradients are off
    #[arg(long, requires = "systems", conflicts_with = "cases")]
    double: bool,
    /// Features to build with, for example cuda
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// Where to compute: cpu, cuda, wgpu; cuda:1 is the second GPU
    #[arg(long)]
    device: Option<String>,
    /// How exactly convolutions and linear layers multiply; the tolerances are meant for f32
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// Compare the forward part alone
    #[arg(long)]
    forward_only: bool,
}

/// Runs `ckaad-parity` and passes its exit code on.
pub(crate) fn run(args: &ParityArgs) -> anyhow::Result<ExitCode> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--release", "-p", "ckaad-parity"]);
    if !args.features.is_empty() {
        command.arg("--features").arg(args.features.join(","));
    }
    command.arg("--").args(&args.cases);
    for figures in &args.systems {
        command.arg("--systems").arg(figures);
    }
    if args.double {
        command.arg("--double");
    }
    if let Some(device) = &args.device {
        command.args(["--device", device]);
    }
    command.args(["--precision", &args.precision.to_string()]);
    if args.forward_only {
        command.arg("--forward-only");
    }
    let status = command.status().context("cannot start cargo")?;
    // Ended by a signal: no code to pass on.
    let code = status.code().map_or(1, |code| code.clamp(0, 255) as u8);
    Ok(ExitCode::from(code))
}
