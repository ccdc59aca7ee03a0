//! Scores and maps of files, for who does not want results in a folder.

use std::path::{Path, PathBuf};

use ckaad_data::{Prefetch, Reading, SixteenBit};
use ckaad_detectors::Scored;

use super::Predictor;
use super::predict_files::{Decoded, decode_ahead};
use crate::{EngineError, RunFolder};

/// Scores files batch after batch, in order, without writing anything. Decoding runs ahead of the networks. An image that cannot be read
/// is an error; the others are scored all the same. [`predict_files`](fn@super::predict_files) writes tables and maps besides.
pub fn score_files<'a>(
    predictor: &'a Predictor,
    inputs: &[PathBuf],
    reading: Reading,
) -> ScoredFiles<'a> {
    let size = predictor.info().config.image_size;
    ScoredFiles {
        predictor,
        decoded: decode_ahead(inputs, size, false, reading),
        reading,
        sixteen_bit: SixteenBit::default(),
    }
}

/// The batches of [`score_files`].
pub struct ScoredFiles<'a> {
    predictor: &'a Predictor,
    decoded: Prefetch<(Vec<Decoded>, SixteenBit)>,
    reading: Reading,
    sixteen_bit: SixteenBit,
}

impl Iterator for ScoredFiles<'_> {
    type Item = Vec<Result<Scored, EngineError>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some((batch, sixteen_bit)) = self.decoded.next() else {
            let seen = std::mem::take(&mut self.sixteen_bit);
            if let Some(warning) = seen.warning(&self.reading) {
                tracing::warn!("{warning}");
            }
            return None;
        };
        self.sixteen_bit.merge(sixteen_bit);
        let squares: Vec<&[u8]> = batch
            .iter()
            .flatten()
            .map(|(square, _)| square.as_slice())
            .collect();
        let mut scored = self
            .predictor
            .predict_squares(squares.into_iter())
            .into_iter();
        let outcomes = batch.into_iter().map(|decoded| {
            decoded?;
            match scored.next() {
                Some(scored) if scored.is_finite() => Ok(scored),
                _ => Err(EngineError::NoScore),
            }
        });
        Some(outcomes.collect())
    }
}

/// The model file that `path` is, or that of the finished run whose folder it is.
///
/// # Errors
/// [`EngineError::NotARun`] for a folder that is no run's, [`EngineError::Unfinished`] for one that has no model yet.
pub fn model_path(path: &Path) -> Result<PathBuf, EngineError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let file = RunFolder::open(path)?.model();
    match file.is_file() {
        true => Ok(file),
        false => Err(EngineError::Unfinished {
            path: path.to_owned(),
        }),
    }
}
