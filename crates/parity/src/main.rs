//! Runs case files and prints the error of every recorded figure.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use ckaad_backbone::Precision;
use ckaad_device::DeviceSpec;
use ckaad_parity::{Extent, Golden, is_system, run, run_system};
use clap::Parser;

/// Check the networks and the training step against recorded figures
#[derive(Parser)]
struct Args {
    /// Case files
    #[arg(required = true)]
    cases: Vec<PathBuf>,
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
        let checks = match is_system(path) {
            true => run_system(path)?,
            false => run(&Golden::read(path)?, extent, args.precision, &device)?,
        };
        println!(
            "{} on {} in {} ({:.1} s)",
            path.display(),
            args.device,
            args.precision,
            start.elapsed().as_secs_f64()
        );
        for check in &checks {
            let verdict = if check.passed() { "ok" } else { "FAILED" };
            println!(
                "  {:<48} {:>9.2e}  (at most {:.0e})  {verdict}",
                check.name, check.error, check.tolerance
            );
        }
        failed += checks.iter().filter(|check| !check.passed()).count();
    }
    if failed == 0 {
        println!("all within tolerance");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{failed} figures are off");
        Ok(ExitCode::FAILURE)
    }
}
