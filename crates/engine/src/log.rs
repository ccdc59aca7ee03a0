//! `log.jsonl`: one line per epoch.

use std::io::Write;
use std::path::Path;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{EngineError, StepRecord};

/// The means of an epoch's losses, and what validation says after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Training steps of the epoch.
    pub steps: usize,
    /// Mean of the auto-encoder's whole loss.
    pub total: f64,
    /// Mean reconstruction loss of the normal images.
    pub reconstruction: f64,
    /// Mean adversarial loss; for `recon-sub` the reconstruction loss of the anomalous images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adversarial: Option<f64>,
    /// Mean loss of the discriminator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<f64>,
    /// AUROC of the validation images, if there are normal and anomalous ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_auroc: Option<f64>,
    /// Wall-clock time of the epoch in seconds, validation included.
    pub seconds: f64,
}

/// Sums of an epoch's losses: total, reconstruction, adversarial, discriminator. Losses stay on the device until they are
/// asked for, so that steps need not wait for each other; when that is does not change the sums.
#[derive(Debug, Clone, Default)]
pub(crate) struct LossSums {
    read: SavedSums,
    pending: [Vec<Tensor<1>>; 4],
}

/// [`LossSums`] at rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedSums {
    steps: usize,
    /// `None` for losses that the method does not have.
    sums: [Option<f64>; 4],
}

impl LossSums {
    pub(crate) fn restore(saved: SavedSums) -> Self {
        Self {
            read: saved,
            pending: Default::default(),
        }
    }

    pub(crate) fn add(&mut self, record: StepRecord) {
        self.read.steps += 1;
        let (adversarial, discriminator) = match record.anomalous {
            None => (None, None),
            Some(record) => (
                Some(record.adversarial),
                record.discriminator.map(|(loss, _)| loss),
            ),
        };
        let losses = [
            Some(record.total),
            Some(record.reconstruction),
            adversarial,
            discriminator,
        ];
        for (pending, loss) in self.pending.iter_mut().zip(losses) {
            pending.extend(loss);
        }
    }

    /// Reads what is still on the device.
    pub(crate) fn save(&mut self) -> SavedSums {
        for (sum, pending) in self.read.sums.iter_mut().zip(&mut self.pending) {
            if pending.is_empty() {
                continue;
            }
            let losses = Tensor::cat(std::mem::take(pending), 0)
                .into_data()
                .convert::<f32>();
            let sum = sum.get_or_insert(0.0);
            losses
                .iter::<f32>()
                .for_each(|loss| *sum += f64::from(loss));
        }
        self.read.clone()
    }

    /// The sum of the whole loss so far.
    pub(crate) fn total(&mut self) -> f64 {
        self.save().sums[0].unwrap_or(0.0)
    }

    pub(crate) fn finish(
        mut self,
        epoch: usize,
        validation_auroc: Option<f64>,
        seconds: f64,
    ) -> EpochRecord {
        let SavedSums { steps, sums } = self.save();
        let mean = |index: usize| sums[index].map(|sum| sum / steps.max(1) as f64);
        EpochRecord {
            epoch,
            steps,
            total: mean(0).unwrap_or(f64::NAN),
            reconstruction: mean(1).unwrap_or(f64::NAN),
            adversarial: mean(2),
            discriminator: mean(3),
            validation_auroc,
            seconds,
        }
    }
}

/// The records of epochs up to `epoch`. A line that a crash cut short, or an epoch that is done again, is left out.
pub(crate) fn read(path: &Path, epoch: usize) -> Result<Vec<EpochRecord>, EngineError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(EngineError::io(path, "read")(error)),
    };
    let records = text
        .lines()
        .filter_map(|line| serde_json::from_str::<EpochRecord>(line).ok());
    Ok(records.filter(|record| record.epoch <= epoch).collect())
}

/// Appends one line.
pub(crate) fn append(path: &Path, record: &EpochRecord) -> Result<(), EngineError> {
    let line =
        serde_json::to_string(record).map_err(|error| EngineError::file(path, "log", error))?;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(EngineError::io(path, "open"))?;
    file.write_all(format!("{line}\n").as_bytes())
        .map_err(EngineError::io(path, "write"))
}

/// Rewrites the whole log.
pub(crate) fn write(path: &Path, records: &[EpochRecord]) -> Result<(), EngineError> {
    let lines: Result<Vec<String>, _> = records.iter().map(serde_json::to_string).collect();
    let mut text = lines
        .map_err(|error| EngineError::file(path, "log", error))?
        .join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Ok(ckaad_files::write(path, text.as_bytes())?)
}
