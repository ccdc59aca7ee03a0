//! What the page of a comparison shows.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_device::Device;
use ckaad_engine::comparison::{self, Comparison, Ranking};
use ckaad_engine::evaluation::{Report, evaluated};
use ckaad_engine::training::Observer;
use ckaad_engine::{Predictor, RunFolder};
use ckaad_report::{
    ComparisonData, Contestant, Exhibit, Fact, Figure, ScoredImage, Scores, Verdict,
};

use super::joint::Joint;
use super::run::scored;
use super::{evaluate_first, figures, gallery, name_of};
use crate::failure::Advised;

/// The page of what `ckaad compare` left in a folder.
pub(crate) fn of_comparison(
    folder: &Path,
    device: &Device,
    observer: Observer<'_>,
) -> anyhow::Result<ComparisonData> {
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
        scores: Scores::NotDrawn,
    });
    let (near, images) = (found.near_duplicates, found.images);
    let mut notes = joint.notes;
    let (exhibit, note) = exhibit_of(&found, folder, device, observer);
    notes.extend(note);
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
        exhibit,
        ..ComparisonData::default()
    })
}

/// Pictures of what the recommended detector found, or why there are none. The figures of others hang on nothing of it.
fn exhibit_of(
    found: &Comparison,
    folder: &Path,
    device: &Device,
    observer: Observer<'_>,
) -> (Option<Exhibit>, Option<String>) {
    let recommended = found.recommended.as_ref().map(|verdict| &verdict.detector);
    let first = found.detectors.first().map(|detector| &detector.name);
    let Some(name) = recommended.or(first) else {
        return (None, None);
    };
    match exhibit(name, &folder.join(name), device, observer) {
        Ok(exhibit) => (Some(exhibit), None),
        Err(error) => {
            let note = format!("There are no pictures of {name}: {error:#}.");
            (None, Some(note))
        }
    }
}

fn exhibit(
    name: &str,
    folder: &Path,
    device: &Device,
    observer: Observer<'_>,
) -> anyhow::Result<Exhibit> {
    let run = RunFolder::open(folder)?;
    let (split, evaluated) = evaluated(&run, folder)?;
    let predictor = Predictor::open(&run.model(), None, device)?;
    let threshold = predictor.info().threshold.value;
    let images: Vec<ScoredImage> = evaluated.iter().map(scored).collect();
    let gallery = gallery::of(&images, &evaluated, &split, threshold, &predictor, observer)?;
    Ok(Exhibit {
        name: name.to_owned(),
        images,
        threshold,
        gallery,
    })
}

fn rankings(of: [Option<Ranking>; 2]) -> Vec<Figure> {
    let names = ["validation AUROC", "test AUROC"].into_iter();
    names
        .zip(of)
        .map(|(name, of)| figures::ranking(name, of))
        .collect()
}

pub(super) fn numbers_of_report(report: &Report) -> Vec<(String, Option<f64>)> {
    vec![
        ("epochs".to_owned(), Some(report.last.epoch as f64)),
        ("training, s".to_owned(), Some(report.seconds.training)),
    ]
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
            let problem = format!("{} has no results", folder.display());
            Advised::new(problem, evaluate_first(folder))
        })?;
        contestants.push(Contestant {
            name,
            figures: figures::figures(&report.last, &[]),
            numbers: numbers_of_report(&report),
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
