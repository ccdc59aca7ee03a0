//! Development tasks: `cargo xtask --help`.

mod ablation;
mod bench;
mod bench_cifar10;
mod bench_industrial;
mod bench_medical;
mod collect;
mod dist;
mod labelled_classes;
mod normalisation;
mod parity;
mod perf;
mod precision;

use std::process::ExitCode;

use bench::args::GridArgs;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Development tasks", after_help = EXAMPLES)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

const EXAMPLES: &str = "Examples:
  cargo xtask bench-medical --sample --quick
  cargo xtask bench-industrial --datasets mvtec-ad --device cuda --features cuda
  cargo xtask bench-cifar10 --plan
  cargo xtask ablation --datasets chest-xray --quick
  cargo xtask normalisation --datasets br35h --seeds 111
  cargo xtask labelled-classes --slurm figure2.sbatch --device cuda --features cuda
  cargo xtask collect benchmarks
  cargo xtask parity tests/golden/networks_resnet18_l23_64.json
  cargo xtask perf metrics
  cargo xtask dist";

#[derive(Debug, Subcommand)]
enum Task {
    /// Tables 1 and 4: medical images at growing labelled ratios
    #[command(after_help = "Example: cargo xtask bench-medical --sample --quick")]
    BenchMedical(GridArgs),
    /// Tables 2, 7 and 8: products with local defects
    #[command(
        after_help = "Example: cargo xtask bench-industrial --datasets mvtec-ad --device cuda --features cuda"
    )]
    BenchIndustrial(GridArgs),
    /// Table 5: CIFAR-10, one class against the others
    #[command(after_help = "Example: cargo xtask bench-cifar10 --plan")]
    BenchCifar10(GridArgs),
    /// Table 3: the five ways to use labelled anomalies
    #[command(after_help = "Example: cargo xtask ablation --datasets chest-xray --quick")]
    Ablation(GridArgs),
    /// Table 6: batch or instance norm
    #[command(after_help = "Example: cargo xtask normalisation --datasets br35h --seeds 111")]
    Normalisation(GridArgs),
    /// Figure 2: number of labelled anomaly classes
    #[command(
        after_help = "Example: cargo xtask labelled-classes --slurm figure2.sbatch --device cuda --features cuda"
    )]
    LabelledClasses(GridArgs),
    /// Tables from whatever has finished
    #[command(after_help = "Example: cargo xtask collect benchmarks")]
    Collect(collect::CollectArgs),
    /// Compare the networks and the training step with recorded figures
    #[command(
        after_help = "Example: cargo xtask parity tests/golden/networks_resnet18_l23_64.json"
    )]
    Parity(parity::ParityArgs),
    /// Build the program for others, and pack it with everything that belongs to it: documents, completions, man pages, licences
    #[command(after_help = "Example: cargo xtask dist --out dist")]
    Dist(dist::DistArgs),
    /// Time what we do beside what others use
    #[command(subcommand, after_help = "Example: cargo xtask perf metrics")]
    Perf(perf::Perf),
}

fn main() -> anyhow::Result<ExitCode> {
    match &Xtask::parse().task {
        Task::BenchMedical(args) => bench::execute(args, bench_medical::grid)?,
        Task::BenchIndustrial(args) => bench::execute(args, bench_industrial::grid)?,
        Task::BenchCifar10(args) => bench::execute(args, bench_cifar10::grid)?,
        Task::Ablation(args) => bench::execute(args, ablation::grid)?,
        Task::Normalisation(args) => bench::execute(args, normalisation::grid)?,
        Task::LabelledClasses(args) => bench::execute(args, labelled_classes::grid)?,
        Task::Collect(args) => collect::run(args)?,
        Task::Parity(args) => return parity::run(args),
        Task::Dist(args) => dist::run(args)?,
        Task::Perf(perf) => perf::run(perf)?,
    }
    Ok(ExitCode::SUCCESS)
}
