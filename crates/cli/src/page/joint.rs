//! The scores of several runs, image by image.

use std::collections::HashMap;
use std::path::PathBuf;

use ckaad_engine::RunFolder;
use ckaad_engine::evaluation::{Evaluated, evaluated};
use ckaad_report::Scores;

/// The test images that all runs scored.
pub(super) struct Joint {
    pub(super) labels: Vec<bool>,
    pub(super) scores: Vec<Scores>,
    pub(super) notes: Vec<String>,
}

impl Joint {
    pub(super) fn read(folders: &[PathBuf]) -> Self {
        let read = |folder: &PathBuf| -> Result<Vec<Evaluated>, ckaad_engine::EngineError> {
            let run = RunFolder::open(folder)?;
            evaluated(&run, folder).map(|(_, images)| images)
        };
        let runs: Vec<_> = folders.iter().map(read).collect();
        let mut seen: HashMap<String, (usize, bool)> = HashMap::new();
        for image in runs.iter().flatten().flatten() {
            let label = image.sample.label.is_anomalous();
            let (count, first) = seen
                .entry(image.sample.path.to_string())
                .or_insert((0, label));
            // An image that runs disagree on says nothing of either.
            *count += usize::from(*first == label);
        }
        let readable = runs.iter().filter(|run| run.is_ok()).count();
        let mut joint: Vec<(&String, bool)> = seen
            .iter()
            .filter(|(_, (count, _))| *count == readable)
            .map(|(path, (_, label))| (path, *label))
            .collect();
        joint.sort_unstable();
        let left_out = seen.len() - joint.len();
        let scores = runs.iter().map(|run| match run {
            Err(error) => Scores::Missing(error.to_string()),
            Ok(images) => {
                let by_path: HashMap<String, f64> = images
                    .iter()
                    .map(|image| (image.sample.path.to_string(), image.score))
                    .collect();
                Scores::Known(
                    joint
                        .iter()
                        .filter_map(|(path, _)| by_path.get(*path).copied())
                        .collect(),
                )
            }
        });
        let notes = (left_out > 0).then(|| {
            format!("{left_out} images are in no curve or test, because not all of the runs scored them, or not as the same kind.")
        });
        Self {
            scores: scores.collect(),
            labels: joint.iter().map(|(_, label)| *label).collect(),
            notes: notes.into_iter().collect(),
        }
    }
}
