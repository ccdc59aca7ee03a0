//! `cargo xtask perf`: how fast, beside what others use.

use clap::Subcommand;

mod data;
mod metrics;
mod networks;
mod worker;

#[derive(Debug, Subcommand)]
pub(crate) enum Perf {
    /// Metrics: AUROC, AP, F1-max, AUPRO against scikit-learn, SciPy and NumPy on the same arrays.
    Metrics(metrics::Args),
    /// Images: decoding, resizing and elastic transforms against Pillow and torchvision on the same files.
    Data(data::Args),
    /// Networks: inference and a training step against PyTorch eager with random weights.
    Networks(networks::Args),
}

pub(crate) fn run(perf: &Perf) -> anyhow::Result<()> {
    match perf {
        Perf::Metrics(args) => metrics::run(args),
        Perf::Data(args) => data::run(args),
        Perf::Networks(args) => networks::run(args),
    }
}
