//! The compared systems against figures recorded in double precision. No image file and no backbone is involved: features and images
//! are formulas (`inputs`, `images`).

mod aa_bigan;
mod ae_flow;
mod deep_sad;
mod destseg;
mod devnet;
mod differnet;
mod dmad;
mod dra;
mod draem;
mod fastflow;
mod figures;
mod ganomaly;
mod images;
mod inputs;
mod networks;
mod padim;
mod patchcore;
mod prenet;
mod rd4ad;
mod rdpp;
mod recontrast;

use std::path::Path;

use anyhow::{Context, bail};
use burn::tensor::FloatDType;

use self::figures::{Figures, Recorded};
use crate::Check;

/// From here on the process computes on the CPU in double precision, by burn's operators in the place of our kernels: what is off then is no
/// rounding. Gradients of some systems cannot be compared in another way, because single precision puts activations on the other side of a ReLU.
///
/// # Errors
/// If tensors were computed with before.
pub fn compute_in_double_precision() -> anyhow::Result<()> {
    let configured = ckaad_device::cpu().configure(FloatDType::F64);
    configured.context("double precision must be asked for before anything is computed")
}

/// Computes every figure of a file and compares it with what is recorded: tensors and numbers within ten times what single precision
/// costs and never below 2e-5, indices exactly (their error is the share that differs).
///
/// # Errors
/// If the file cannot be read, is of a system that is not here, or records a figure that is not computed here.
pub fn run_system(path: &Path) -> anyhow::Result<Vec<Check>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let recorded: Recorded = serde_json::from_str(&text)
        .with_context(|| format!("{} holds no figures of a system", path.display()))?;
    let figures = Figures::new(&recorded);
    match recorded.system.as_str() {
        "Deep SAD (pooled features)" => deep_sad::run(figures),
        "DevNet head (frozen features)" => devnet::run(figures),
        "DRA heads (frozen features)" => dra::run(figures),
        "AA-BiGAN" => aa_bigan::run(figures),
        "AE-FLOW" => ae_flow::run(figures),
        "DRAEM" => draem::run(figures),
        "DeSTSeg" => destseg::run(figures),
        "DMAD (PPDM)" => dmad::run(figures),
        "GANomaly" => ganomaly::run(figures),
        "PatchCore" => patchcore::run(figures),
        "PReNet (pooled features)" => prenet::run(figures),
        "PaDiM" => padim::run(figures),
        "DifferNet (pooled ResNet-18 features)" => differnet::run(figures),
        "FastFlow" => fastflow::run(figures),
        "RD4AD" => rd4ad::run(figures),
        "RD++" => rdpp::run(figures),
        "ReContrast (encoders frozen)" => recontrast::run(figures),
        other => bail!("{other} is no system that is here"),
    }
    .with_context(|| format!("the figures of {}", path.display()))
}
