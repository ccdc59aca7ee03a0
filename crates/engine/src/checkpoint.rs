//! `checkpoint/last.safetensors`: everything that going on with a run needs, in one file.

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::{Deserialize, Serialize};

use crate::log::SavedSums;
use crate::{EngineError, Learner};

const KIND: &str = "checkpoint";
const AUTO_ENCODER: &str = "auto_encoder";
const AUTO_ENCODER_OPTIMIZER: &str = "auto_encoder_optimizer";
const DISCRIMINATOR: &str = "discriminator";
const DISCRIMINATOR_OPTIMIZER: &str = "discriminator_optimizer";
const STATE: &str = "state";
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
    /// The best epoch on validation so far, and its AUROC.
    pub(crate) best: Option<(usize, f64)>,
}

/// Writes the learner's parameters and optimizer states, the position, and the fingerprint of the backbone's `weights`.
pub(crate) fn save(
    path: &Path,
    learner: &Learner,
    position: &Position,
    weights: &str,
) -> Result<(), EngineError> {
    let failed = |error: String| EngineError::file(path, KIND, error);
    // Batch norms hold their last update back until they are asked; going over to evaluation asks them.
    let _ = learner.auto_encoder.valid();
    let record = |record: ModuleRecord| {
        record
            .into_bytes()
            .map_err(|error| failed(error.to_string()))
    };
    let mut parts = vec![
        (
            AUTO_ENCODER,
            record(learner.auto_encoder.clone().into_record())?,
        ),
        (
            AUTO_ENCODER_OPTIMIZER,
            learner
                .optimizer
                .into_bytes()
                .map_err(|error| failed(error.to_string()))?,
        ),
    ];
    if let Some(discriminator) = &learner.discriminator {
        parts.push((DISCRIMINATOR, record(discriminator.clone().into_record())?));
        let optimizer = learner.discriminator_optimizer.into_bytes();
        parts.push((
            DISCRIMINATOR_OPTIMIZER,
            optimizer.map_err(|error| failed(error.to_string()))?,
        ));
    }
    let views = parts
        .iter()
        .map(|(name, bytes)| {
            TensorView::new(Dtype::U8, vec![bytes.len()], bytes).map(|view| (*name, view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error.to_string()))?;
    let state = serde_json::to_string(position).map_err(|error| failed(error.to_string()))?;
    let metadata = HashMap::from([
        (STATE.to_owned(), state),
        (WEIGHTS.to_owned(), weights.to_owned()),
    ]);
    let bytes = serialize(views, Some(metadata)).map_err(|error| failed(error.to_string()))?;
    Ok(ckaad_files::write(path, &bytes)?)
}

/// Puts a checkpoint's parameters and optimizer states into a learner of the same configuration, on a backbone of the same
/// `weights`.
pub(crate) fn load(
    path: &Path,
    mut learner: Learner,
    weights: &str,
) -> Result<(Learner, Position), EngineError> {
    let bytes = std::fs::read(path).map_err(EngineError::io(path, "read"))?;
    let failed = |error: String| EngineError::file(path, KIND, error);
    let file = SafeTensors::deserialize(&bytes).map_err(|error| failed(error.to_string()))?;
    let (_, header) =
        SafeTensors::read_metadata(&bytes).map_err(|error| failed(error.to_string()))?;
    let entry = |key: &str| {
        let metadata = header.metadata().as_ref();
        metadata
            .and_then(|entries| entries.get(key))
            .map_or("", String::as_str)
    };
    let position: Position = serde_json::from_str(entry(STATE))
        .map_err(|error| failed(format!("its position in the run: {error}")))?;
    match entry(WEIGHTS) {
        same if same == weights => {}
        "" => {
            return Err(failed(
                "it does not say which backbone weights it belongs to; start a new run".to_owned(),
            ));
        }
        others => {
            return Err(failed(format!(
                "the run started with other backbone weights (SHA-256 of the parameters {others}, now {weights}); put those \
                 back, or start a new run"
            )));
        }
    }
    let part = |name: &str| {
        let view = file
            .tensor(name)
            .map_err(|error| failed(error.to_string()))?;
        Ok::<_, EngineError>(Bytes::from_bytes_vec(view.data().to_vec()))
    };
    let record = |name: &str| {
        ModuleRecord::from_bytes(part(name)?).map_err(|error| failed(format!("{name}: {error}")))
    };
    learner.auto_encoder = learner
        .auto_encoder
        .try_load_record(record(AUTO_ENCODER)?)
        .map_err(|error| failed(error.to_string()))?;
    learner.optimizer = learner
        .optimizer
        .from_bytes(part(AUTO_ENCODER_OPTIMIZER)?)
        .map_err(|error| failed(error.to_string()))?;
    if let Some(discriminator) = learner.discriminator.take() {
        let discriminator = discriminator
            .try_load_record(record(DISCRIMINATOR)?)
            .map_err(|error| failed(error.to_string()))?;
        learner.discriminator = Some(discriminator);
        learner.discriminator_optimizer = learner
            .discriminator_optimizer
            .from_bytes(part(DISCRIMINATOR_OPTIMIZER)?)
            .map_err(|error| failed(error.to_string()))?;
    }
    Ok((learner, position))
}
