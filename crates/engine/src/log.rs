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

/// Sums of an epoch's losses; on the device until they are read, so that steps need not wait for each other.
#[derive(Debug, Clone, Default)]
pub(crate) struct LossSums {
    steps: usize,
    /// Total, reconstruction, adversarial, discriminator.
    pending: [Option<Tensor<1>>; 4],
    /// Sums of earlier steps that have been read.
    read: [f64; 4],
    /// Which of the four exist.
    present: [bool; 4],
}

/// [`LossSums`] at rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedSums {
    steps: usize,
    sums: [f64; 4],
    present: [bool; 4],
}

impl LossSums {
    pub(crate) fn add(&mut self, record: StepRecord) {
        self.steps += 1;
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
        for (index, loss) in losses.into_iter().enumerate() {
            if let Some(loss) = loss {
                self.present[index] = true;
                self.pending[index] = Some(match self.pending[index].take() {
                    Some(sum) => sum + loss,
                    None => loss,
                });
            }
        }
    }

    /// Reads what is still on the device; returns the sum of the total loss.
    pub(crate) fn read(&mut self) -> f64 {
        for (sum, pending) in self.read.iter_mut().zip(&mut self.pending) {
            if let Some(tensor) = pending.take() {
                *sum += f64::from(tensor.into_scalar::<f32>());
            }
        }
        self.read[0]
    }

    pub(crate) fn save(&mut self) -> SavedSums {
        self.read();
        SavedSums {
            steps: self.steps,
            sums: self.read,
            present: self.present,
        }
    }

    pub(crate) fn restore(saved: SavedSums) -> Self {
        Self {
            steps: saved.steps,
            pending: Default::default(),
            read: saved.sums,
            present: saved.present,
        }
    }

    pub(crate) fn finish(
        mut self,
        epoch: usize,
        validation_auroc: Option<f64>,
        seconds: f64,
    ) -> EpochRecord {
        self.read();
        let mean =
            |index: usize| self.present[index].then(|| self.read[index] / self.steps.max(1) as f64);
        EpochRecord {
            epoch,
            steps: self.steps,
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
    crate::atomic::write(path, text.as_bytes())
}
