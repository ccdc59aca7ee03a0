//! Development tasks: `cargo xtask --help`.

use clap::{Parser, Subcommand};

mod perf;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Development tasks")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Times what we do beside what others use.
    #[command(subcommand)]
    Perf(perf::Perf),
}

fn main() -> anyhow::Result<()> {
    match &Xtask::parse().task {
        Task::Perf(perf) => perf::run(perf),
    }
}
