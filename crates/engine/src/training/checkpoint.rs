//! `checkpoint/last.safetensors`: everything that going on with a run needs, in one file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ckaad_detectors::State;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

use super::loss_sums::SavedSums;
use crate::EngineError;

pub(crate) const KIND: &str = "checkpoint";
const POSITION: &str = "state";
const WEIGHTS: &str = "backbone_sha256";

/// How far a run has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Whole epochs done.
    pub(crate) epochs: usize,
    /// Steps done of the epoch under way.
    pub(crate) steps: usize,
    /// Losses of those steps.
    pub(crate) sums: SavedSums,
    /// Seconds spent on those steps.
    pub(crate) seconds: f64,
    /// AUROC on the validation images after the last whole epoch.
    pub(crate) validation_auroc: Option<f64>,
    /// The best epoch on validation so far, and its AUROC.
    pub(crate) best: Option<(usize, f64)>,
}

impl Position {
    /// Notes a validated epoch, and says whether it is the best so far. Of equally good ones the later has learned more.
    pub(crate) fn is_best(&mut self, epoch: usize, auroc: f64) -> bool {
        self.validation_auroc = Some(auroc);
        let best = self.best.is_none_or(|(_, best)| auroc >= best);
        if best {
            self.best = Some((epoch, auroc));
        }
        best
    }
}

/// Writes the detector's state, the position, and the fingerprint of the backbone's `weights`.
pub(crate) fn save(
    path: &Path,
    state: &State,
    position: &Position,
    weights: &str,
) -> Result<(), EngineError> {
    let views = state
        .0
        .iter()
        .map(|(name, bytes)| {
            TensorView::new(Dtype::U8, vec![bytes.len()], bytes).map(|view| (name, view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| EngineError::file(path, KIND, error))?;
    let position =
        serde_json::to_string(position).map_err(|error| EngineError::file(path, KIND, error))?;
    let metadata = HashMap::from([
        (POSITION.to_owned(), position),
        (WEIGHTS.to_owned(), weights.to_owned()),
    ]);
    let bytes =
        serialize(views, Some(metadata)).map_err(|error| EngineError::file(path, KIND, error))?;
    Ok(ckaad_files::write(path, &bytes)?)
}

/// Reads what [`save`] wrote, for a backbone of the same `weights`.
pub(crate) fn load(path: &Path, weights: &str) -> Result<(State, Position), EngineError> {
    let bytes = std::fs::read(path).map_err(EngineError::io(path, "read"))?;
    let file =
        SafeTensors::deserialize(&bytes).map_err(|error| EngineError::file(path, KIND, error))?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| EngineError::file(path, KIND, error))?;
    let entry = |key: &str| {
        let metadata = header.metadata().as_ref();
        metadata
            .and_then(|entries| entries.get(key))
            .map_or("", String::as_str)
    };
    let position = serde_json::from_str(entry(POSITION))
        .map_err(|error| EngineError::file(path, KIND, error))?;
    match entry(WEIGHTS) {
        same if same == weights => {}
        "" => {
            return Err(EngineError::file(
                path,
                KIND,
                "it does not say which backbone weights it belongs to; start a new run",
            ));
        }
        others => {
            let reason = format!(
                "the run started with other backbone weights (SHA-256 of the parameters {others}, now {weights}); put those \
                 back, or start a new run"
            );
            return Err(EngineError::file(path, KIND, reason));
        }
    }
    let parts: BTreeMap<String, Vec<u8>> = file
        .iter()
        .map(|(name, view)| (name.to_owned(), view.data().to_vec()))
        .collect();
    Ok((State(parts), position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equally_good_epochs_the_later_one_is_kept() {
        let mut position = Position::default();
        assert!(position.is_best(1, 0.9));
        assert!(!position.is_best(2, 0.8));
        assert!(position.is_best(3, 0.9));
        assert_eq!(position.best, Some((3, 0.9)));
        assert_eq!(position.validation_auroc, Some(0.9));
    }
}
