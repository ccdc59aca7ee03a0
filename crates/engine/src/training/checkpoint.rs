//! `checkpoint/last.safetensors`: everything that going on with a run needs, in one file.

use std::collections::BTreeMap;
use std::path::Path;

use ckaad_detectors::State;
use ckaad_parameters::{Seal, SealError, Sealed};
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::loss_sums::SavedSums;
use super::origin::Origin;
use crate::EngineError;
use crate::config::EPOCHS;

pub(crate) const KIND: &str = "checkpoint";
/// Its metadata hold a [`Description`].
pub(crate) const SEAL: Seal = Seal {
    key: "ckaad_checkpoint",
    version: 1,
};

/// What a checkpoint says besides the detector's state.
#[derive(Serialize, Deserialize)]
struct Description<P, O> {
    position: P,
    origin: O,
}

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
    /// Refuses what no run reaches.
    pub(crate) fn check(&self) -> Result<(), String> {
        let epochs = [Some(self.epochs), self.best.map(|(epoch, _)| epoch)];
        let sound = epochs.into_iter().flatten().all(|epoch| epoch <= EPOCHS)
            && self.steps == self.sums.steps();
        match sound {
            true => Ok(()),
            false => Err("it says that the run is where no run can be".to_owned()),
        }
    }

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

/// Writes the detector's state, the position, and which run they are of.
pub(crate) fn save(
    path: &Path,
    state: &State,
    position: &Position,
    origin: &Origin,
) -> Result<(), EngineError> {
    let views = state
        .0
        .iter()
        .map(|(name, bytes)| {
            let view = TensorView::new(Dtype::U8, vec![bytes.len()], bytes);
            view.map(|view| (name.as_str(), view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| EngineError::file(path, KIND, error))?;
    let bytes = SEAL
        .to_bytes(views, &Description { position, origin })
        .map_err(|error| EngineError::sealed(path, KIND, error))?;
    Ok(ckaad_files::write(path, &bytes)?)
}

/// Reads what [`save`] wrote, for the same run.
pub(crate) fn load(path: &Path, origin: &Origin) -> Result<(State, Position), EngineError> {
    let failed = |error| EngineError::sealed(path, KIND, error);
    let file = SEAL.read(path).map_err(failed)?;
    let (state, position, found) = contents(&file).map_err(failed)?;
    let refused = |reason| EngineError::file(path, KIND, reason);
    found.check(origin).map_err(refused)?;
    position.check().map_err(refused)?;
    Ok((state, position))
}

/// The detector's state alone, whatever run it is of.
pub(crate) fn state(path: &Path) -> Result<State, EngineError> {
    let failed = |error| EngineError::sealed(path, KIND, error);
    let file = SEAL.read(path).map_err(failed)?;
    let (state, ..) = contents(&file).map_err(failed)?;
    Ok(state)
}

/// What a checkpoint holds.
pub(crate) fn contents(file: &Sealed) -> Result<(State, Position, Origin), SealError> {
    let Description { position, origin }: Description<Position, Origin> = file.info()?;
    let parts: BTreeMap<String, Vec<u8>> = file
        .tensors()?
        .iter()
        .map(|(name, view)| (name.to_owned(), view.data().to_vec()))
        .collect();
    Ok((State(parts), position, origin))
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
