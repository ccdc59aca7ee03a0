//! What the page of a comparison shows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_engine::RunFolder;
use ckaad_engine::comparison::{self, Comparison, Ranking};
use ckaad_engine::evaluation::{Evaluated, Report, evaluated};
use ckaad_report::{ComparisonData, Contestant, Fact, Figure, Scores, Verdict};

use super::{figures, name_of};

/// The page of what `ckaad compare` left in a folder.
pub(crate) fn of_comparison(folder: &Path) -> anyhow::Result<ComparisonData> {
    let found = Comparison::read(&folder.join(comparison::FILE))?;
    // The comparison may have moved with its runs.
    let runs: Vec<PathBuf> = found
        .detectors
        .iter()
        .map(|of| folder.join(&of.name))
        .collect();
    let joint = Joint::read(&runs);
    let detectors = found
        .detectors
        .iter()
        .zip(joint.scores)
        .map(|(of, scores)| Contestant {
            name: of.name.clone(),
            figures: rankings([of.validation, of.test]),
            numbers: numbers([
                Some(of.training_seconds),
                Some(of.milliseconds_per_image),
                Some(of.model_bytes as f64 / f64::from(1 << 20)),
            ]),
            remark: of.not_above_control.as_ref().map(|control| {
                format!("not clearly better on validation than the control {control}")
            }),
            scores,
        });
    let controls = found.controls.iter().map(|of| Contestant {
        name: of.name.clone(),
        figures: rankings([of.validation, of.test]),
        numbers: numbers([None; 3]),
        remark: Some("control".to_owned()),
        scores: Scores::Control,
    });
    let (near, images) = (found.near_duplicates, found.images);
    let mut notes = joint.notes;
    if near.validation + near.test > 0 {
        notes.push(format!(
            "Nearly the same as a training image: {} of {} validation images, {} of {} test images.",
            near.validation, images.validation, near.test, images.test
        ));
    }
    Ok(ComparisonData {
        title: format!("Comparison in {}", folder.display()),
        facts: vec![
            Fact::new("weights", &found.weights),
            Fact::new(
                "training images",
                format!(
                    "{} normal, {} labelled anomalous",
                    images.normal, images.labelled_anomalous
                ),
            ),
            Fact::new(
                "validation images",
                format!(
                    "{}, {} of them anomalous",
                    images.validation, images.validation_anomalous
                ),
            ),
            Fact::new("version", format!("ckaad {}", found.version)),
        ],
        contestants: detectors.chain(controls).collect(),
        verdict: found.recommended.map(|verdict| Verdict {
            name: verdict.detector,
            reason: verdict.reason,
        }),
        notes,
        labels: joint.labels,
    })
}

fn rankings(of: [Option<Ranking>; 2]) -> Vec<Figure> {
    let names = ["validation AUROC", "test AUROC"].into_iter();
    names
        .zip(of)
        .map(|(name, of)| figures::ranking(name, of))
        .collect()
}

fn numbers(of: [Option<f64>; 3]) -> Vec<(String, Option<f64>)> {
    let names = ["training, s", "an image, ms", "model, MiB"];
    names.map(str::to_owned).into_iter().zip(of).collect()
}

/// The page of several evaluated runs.
pub(crate) fn of_runs(folders: &[PathBuf]) -> anyhow::Result<ComparisonData> {
    let joint = Joint::read(folders);
    let names = names(folders)?;
    let mut contestants = Vec::new();
    for ((folder, name), scores) in folders.iter().zip(names).zip(joint.scores) {
        let run = RunFolder::open(folder)?;
        let report = Report::read(&run.report()).with_context(|| {
            format!(
                "evaluate the run first (`ckaad evaluate {}`)",
                folder.display()
            )
        })?;
        contestants.push(Contestant {
            name,
            figures: figures::figures(&report.last, &[]),
            numbers: vec![
                ("epochs".to_owned(), Some(report.last.epoch as f64)),
                ("training, s".to_owned(), Some(report.seconds.training)),
            ],
            remark: Some(report.config.detector.name().to_owned()),
            scores,
        });
    }
    Ok(ComparisonData {
        title: format!("{} runs compared", folders.len()),
        contestants,
        notes: joint.notes,
        labels: joint.labels,
        ..ComparisonData::default()
    })
}

/// The last part of each path, or the whole path where that tells none apart.
fn names(folders: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let short = folders.iter().map(|folder| name_of(folder));
    let short: Vec<String> = short.collect::<Result<_, _>>()?;
    let named = |(folder, name): (&PathBuf, &String)| match short
        .iter()
        .filter(|other| *other == name)
        .count()
    {
        1 => name.clone(),
        _ => folder.display().to_string(),
    };
    Ok(folders.iter().zip(&short).map(named).collect())
}

/// The test images that all runs scored.
struct Joint {
    labels: Vec<bool>,
    scores: Vec<Scores>,
    notes: Vec<String>,
}

impl Joint {
    fn read(folders: &[PathBuf]) -> Self {
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
