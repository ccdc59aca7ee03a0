//! The format of a case file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::ResNetVariant;
use serde::Deserialize;

/// A case and its recorded figures.
#[derive(Debug, Clone, Deserialize)]
pub struct Golden {
    /// What to run.
    pub case: Case,
    /// Names and shapes of all parameters, by network.
    pub parameters: Parameters,
    /// Recorded tensors by name.
    pub tensors: BTreeMap<String, Record>,
    /// Mean of the 100 largest pixels of every image's map.
    pub image_score_top100: Vec<f64>,
    /// Mean of all pixels of every image's map.
    pub image_score_mean: Vec<f64>,
    /// Recorded training steps.
    pub steps: Vec<Step>,
}

/// What to run.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Which network.
    pub backbone: ResNetVariant,
    /// Which of its stages, counted from 1.
    pub layers: Vec<usize>,
    /// Side of the images in pixels.
    pub image_size: usize,
    /// Normal images per step.
    pub batch: usize,
    /// Anomalous images per step.
    pub anomaly_batch: usize,
    /// Training steps.
    pub steps: usize,
    /// Seed of all formulas.
    pub seed: u64,
    /// Weight of reconstructions in the discriminator's loss.
    pub gamma: f64,
    /// Energy margin.
    pub margin: f64,
    /// Learning rate of the auto-encoder.
    pub lr: f64,
    /// Learning rate of the discriminator.
    pub lr_discriminator: f64,
    /// Weight of the adversarial loss.
    pub lambda: f64,
    /// The norm of the auto-encoder.
    #[serde(default)]
    pub norm: Norm,
}

/// Names and shapes by network.
#[derive(Debug, Clone, Deserialize)]
pub struct Parameters {
    /// Under torchvision's names.
    pub backbone: BTreeMap<String, Vec<usize>>,
    /// Under the recording implementation's names.
    pub autoencoder: BTreeMap<String, Vec<usize>>,
    /// Under the recording implementation's names.
    pub discriminator: BTreeMap<String, Vec<usize>>,
}

/// What is recorded of a tensor.
#[derive(Debug, Clone, Deserialize)]
pub struct Record {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Euclidean norm of all elements.
    pub l2: f64,
    /// Flat indices and values of some elements.
    pub probes: Vec<(usize, f64)>,
}

/// What is recorded of a training step.
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Step {
    pub discriminator: f64,
    pub reconstruction: f64,
    pub adversarial: f64,
    pub total: f64,
    pub discriminator_grad_norm: f64,
    pub autoencoder_grad_norm: f64,
}

impl Golden {
    /// Reads a case file.
    ///
    /// # Errors
    /// If it cannot be read or is no case file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no case file", path.display()))
    }
}
