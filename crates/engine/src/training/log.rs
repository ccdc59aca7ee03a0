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

/// Greatest size of a log in bytes.
const FILE_LIMIT: u64 = 1 << 30;

/// The records of epochs up to `epoch`. A last line that a crash cut short, or an epoch that is done again, is left out; so is a line that is
/// damaged, with a warning.
///
/// # Errors
/// [`EngineError::Files`] if there is a log and it cannot be read.
pub fn read(path: &Path, epoch: usize) -> Result<Vec<EpochRecord>, EngineError> {
    match ckaad_files::read(path, FILE_LIMIT) {
        Ok(bytes) => Ok(parse(&bytes, path, epoch)),
        Err(_) if !path.exists() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// [`read`] from bytes; `path` is for messages.
pub(crate) fn parse(bytes: &[u8], path: &Path, epoch: usize) -> Vec<EpochRecord> {
    let mut records = Vec::new();
    for (number, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match serde_json::from_slice::<EpochRecord>(line) {
            Ok(record) => records.push(record),
            Err(_) if !line.ends_with(b"\n") => {}
            Err(error) => tracing::warn!(
                "{}: line {} is damaged and left out: {error}",
                path.display(),
                number + 1
            ),
        }
    }
    records.retain(|record| record.epoch <= epoch);
    records
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn damaged_lines_take_no_others_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let record = |epoch| EpochRecord {
            epoch,
            steps: 3,
            losses: IndexMap::from([("total".to_owned(), 0.1 + 0.2)]),
            validation_auroc: None,
            seconds: 1.0,
        };
        for epoch in 1..=3 {
            append(&path, &record(epoch)).unwrap();
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let second = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        bytes[second + 4] = 0xFF;
        bytes.extend(b"{\"epoch\":4,\"st");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read(&path, 9).unwrap(), [record(1), record(3)]);
        assert_eq!(read(&path, 2).unwrap(), [record(1)]);
    }
}
