//! Runs case files and prints the error of every recorded figure.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context;
use ckaad_backbone::Precision;
use ckaad_device::DeviceSpec;
use ckaad_parity::{Check, Extent, Golden, compute_in_double_precision, run, run_system};
use clap::Parser;

/// Check the networks and the training step against recorded figures
#[derive(Parser)]
struct Args {
    /// Case files
    #[arg(required_unless_present = "systems")]
    cases: Vec<PathBuf>,
    /// Figures of the compared systems, computed on the CPU
    #[arg(long, num_args = 1..)]
    systems: Vec<PathBuf>,
    /// Compute figures of systems in double instead of single precision, by burn's operators; without it, in single first, and in
    /// double where gradients are off
    #[arg(long, requires = "systems", conflicts_with = "cases")]
    double: bool,
    /// Device to run on: cpu, cuda:0, wgpu:0, ...
    #[arg(long, default_value = "cpu")]
    device: String,
    /// How exactly convolutions and linear layers multiply: f32, tf32 or bf16
    #[arg(long, default_value_t)]
    precision: Precision,
    /// Run the forward part only
    #[arg(long)]
    forward_only: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if args.double {
        compute_in_double_precision()?;
    }
    let device = args.device.parse::<DeviceSpec>()?.open()?;
    anyhow::ensure!(
        args.precision.is_supported(&device),
        "{} cannot compute in {}",
        args.device,
        args.precision
    );
    let extent = if args.forward_only {
        Extent::Forward
    } else {
        Extent::Training
    };
    let mut failed = 0;
    for path in &args.cases {
        let start = Instant::now();
        let checks = run(&Golden::read(path)?, extent, args.precision, &device)?;
        let on = format!("{} in {}", args.device, args.precision);
        failed += report(path, &on, start, &checks);
    }
    for path in &args.systems {
        let start = Instant::now();
        let on = if args.double {
            "cpu in f64"
        } else {
            "cpu in f32"
        };
        let checks = run_system(path)?;
        let off = report(path, on, start, &checks);
        let rounding = |check: &Check| check.passed() || check.follows_gradients();
        if off > 0 && !args.double && checks.iter().all(rounding) {
            println!(
                "  only gradients and what follows from them are off, as rounding can make them; the same in double precision:"
            );
            failed += usize::from(!holds_in_double(path)?) * off;
        } else {
            failed += off;
        }
    }
    if failed == 0 {
        println!("all within tolerance");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{failed} figures are off");
        Ok(ExitCode::FAILURE)
    }
}

/// Whether every figure of a system's file holds in double precision. A process has one precision, so that it takes another.
fn holds_in_double(path: &Path) -> anyhow::Result<bool> {
    let mut command = Command::new(std::env::current_exe()?);
    let status = command.args(["--double", "--systems"]).arg(path).status();
    Ok(status.context("cannot start another process")?.success())
}

/// Prints every figure of a file, and counts those that are off.
fn report(path: &Path, on: &str, start: Instant, checks: &[Check]) -> usize {
    let seconds = start.elapsed().as_secs_f64();
    println!("{} on {on} ({seconds:.1} s)", path.display());
    for check in checks {
        let verdict = if check.passed() { "ok" } else { "FAILED" };
        println!(
            "  {:<48} {:>9.2e}  (at most {:.0e})  {verdict}",
            check.name, check.error, check.tolerance
        );
    }
    checks.iter().filter(|check| !check.passed()).count()
}
