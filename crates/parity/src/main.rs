//! Runs case files and prints the error of every recorded figure.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

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
    /// Compute figures of systems in double instead of single precision, by burn's operators
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
        failed += report(path, on, start, &run_system(path)?);
    }
    if failed == 0 {
        println!("all within tolerance");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{failed} figures are off");
        Ok(ExitCode::FAILURE)
    }
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
