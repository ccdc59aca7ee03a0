//! `log.jsonl`: one line per epoch.

use std::io::Write;
use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// The means of an epoch's losses, and what validation says after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Training steps of the epoch.
    pub steps: usize,
    /// Means of the detector's losses, by name.
    #[serde(flatten)]
    pub losses: IndexMap<String, f64>,
    /// AUROC of the validation images, if there are normal and anomalous ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_auroc: Option<f64>,
    /// Wall-clock time of the epoch in seconds, validation included.
    pub seconds: f64,
}

/// The records of epochs up to `epoch`. A line that a crash cut short, or an epoch that is done again, is left out.
///
/// # Errors
/// [`EngineError::Io`] if there is a log and it cannot be read.
pub fn read(path: &Path, epoch: usize) -> Result<Vec<EpochRecord>, EngineError> {
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
    let line = line(path, record)?;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(EngineError::io(path, "open"))?;
    file.write_all(line.as_bytes())
        .map_err(EngineError::io(path, "write"))
}

/// Rewrites the whole log.
pub(crate) fn write(path: &Path, records: &[EpochRecord]) -> Result<(), EngineError> {
    let lines: Result<String, EngineError> =
        records.iter().map(|record| line(path, record)).collect();
    Ok(ckaad_files::write(path, lines?.as_bytes())?)
}

fn line(path: &Path, record: &EpochRecord) -> Result<String, EngineError> {
    let json =
        serde_json::to_string(record).map_err(|error| EngineError::file(path, "log", error))?;
    Ok(json + "\n")
}
