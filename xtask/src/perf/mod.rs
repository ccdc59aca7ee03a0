//! `cargo xtask perf`: how fast, beside what others use.

use clap::Subcommand;

mod data;
mod metrics;
mod speed;
mod worker;

const SPEED_EXAMPLES: &str = "Examples:
  cargo xtask perf speed --data ChestXRay2017 --history
  cargo xtask perf speed --only infer,step
  cargo xtask perf speed --side 64 --images 32 --rounds 2";

#[derive(Debug, Subcommand)]
pub(crate) enum Perf {
    /// Metrics: AUROC, AP, F1-max, AUPRO against scikit-learn, SciPy and NumPy on the same arrays.
    Metrics(metrics::Args),
    /// Images: decoding, resizing and elastic transforms against Pillow and torchvision on the same files.
    Data(data::Args),
    /// Everything: inference, training step and epoch, `predict` and start as whole processes against PyTorch eager.
    #[command(after_help = SPEED_EXAMPLES)]
    Speed(speed::Args),
}

pub(crate) fn run(perf: &Perf) -> anyhow::Result<()> {
    match perf {
        Perf::Metrics(args) => metrics::run(args),
        Perf::Data(args) => data::run(args),
        Perf::Speed(args) => speed::run(args),
    }
}
