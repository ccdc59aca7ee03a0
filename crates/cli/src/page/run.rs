//! What the page of a run shows.

use std::path::Path;

use anyhow::Context;
use ckaad_data::{Sample, Split};
use ckaad_device::Device;
use ckaad_engine::comparison::ControlFigures;
use ckaad_engine::evaluation::{Evaluated, Report, evaluated};
use ckaad_engine::training::{Observer, read_log};
use ckaad_engine::{Predictor, RunFolder};
use ckaad_report::{Account, Epoch, Fact, ImageList, RunData, ScoredImage, ThresholdData};

use super::{evaluate_first, figures, gallery};
use crate::failure::Advised;

/// Gathers an evaluated run. `results` is the folder that the evaluation was written into.
pub(crate) fn of_run(
    run: &RunFolder,
    results: &Path,
    device: &Device,
    observer: Observer<'_>,
) -> anyhow::Result<RunData> {
    let file = results.join("report.json");
    anyhow::ensure!(
        file.is_file(),
        Advised::new(
            format!("{} is missing", file.display()),
            evaluate_first(run.path())
        )
    );
    let report = Report::read(&file)?;
    let (split, images) = evaluated(run, results)?;
    let predictor = Predictor::open(&run.model(), None, device)?;
    let threshold = &report.last.threshold;
    let scored: Vec<ScoredImage> = images.iter().map(scored).collect();
    let gallery = gallery::of(
        &scored,
        &images,
        &split,
        threshold.value,
        &predictor,
        observer,
    )?;
    let epochs = read_log(&run.log(), report.last.epoch)?;
    let omitted = report.last.pixels_omitted.as_ref();
    let no_pixels = match (&report.last.pixel, omitted, &predictor.info().maps) {
        (Some(_), ..) => None,
        (None, Some(omitted), _) => Some(omitted.reason.clone()),
        (None, None, None) => Some("the detector tells no places".to_owned()),
        (None, None, Some(_)) => Some("no anomalous test image has a mask".to_owned()),
    };
    let textures = ("Textures of drawn anomalies", &split.textures);
    let textures = (!split.textures.is_empty()).then_some(textures);
    Ok(RunData {
        title: results.display().to_string(),
        facts: facts(&report, run),
        models: figures::models(&report, &scored),
        no_pixels,
        account: account(&report, &split),
        epochs: epochs
            .into_iter()
            .map(|record| Epoch {
                epoch: record.epoch,
                losses: record.losses.into_iter().collect(),
                validation_auroc: record.validation_auroc,
            })
            .collect(),
        threshold: Some(ThresholdData {
            value: threshold.value,
            rule: threshold.rule.clone(),
            promise: threshold.promise,
        }),
        gallery,
        config: report
            .config
            .to_toml()
            .context("cannot write the settings")?,
        lists: [
            ("Normal training images", &split.normal),
            ("Labelled anomalous training images", &split.labelled),
            ("Validation images", &split.validation),
            ("Images held out for calibration", &split.calibration),
        ]
        .into_iter()
        .chain(textures)
        .map(|(name, samples)| list(name, samples))
        .collect(),
        definitions: report
            .definitions
            .iter()
            .map(|(name, text)| Fact::new(name, text))
            .collect(),
        images: scored,
    })
}

pub(super) fn scored(image: &Evaluated) -> ScoredImage {
    ScoredImage {
        path: image.sample.path.to_string(),
        class: image.sample.class.clone(),
        anomalous: image.sample.label.is_anomalous(),
        score: image.score,
        p_value: image.p_value,
    }
}

fn list(name: &str, samples: &[Sample]) -> ImageList {
    ImageList {
        name: name.to_owned(),
        paths: samples
            .iter()
            .map(|sample| sample.path.to_string())
            .collect(),
    }
}

fn facts(report: &Report, run: &RunFolder) -> Vec<Fact> {
    let config = &report.config;
    let seconds = report.seconds;
    let mut facts = vec![
        Fact::new("run", run.path().display()),
        Fact::new("detector", config.detector.name()),
        Fact::new("backbone", config.backbone),
        Fact::new("weights", &report.weights),
        Fact::new("image size", format!("{0} x {0} pixels", config.image_size)),
        Fact::new("epochs", report.last.epoch),
        Fact::new("seed", config.seed),
        Fact::new("training", format!("{:.1} s", seconds.training)),
        Fact::new(
            "evaluation",
            format!("{:.1} s on {}", seconds.evaluation, report.device),
        ),
        Fact::new("version", format!("ckaad {}", report.version)),
    ];
    if let Some(test) = &report.test {
        facts.insert(1, Fact::new("test images", test.images.display()));
    }
    facts
}

fn account(report: &Report, split: &Split) -> Account {
    let counts = report.training;
    let test = &report.last.counts;
    let used = [
        ("normal, training", counts.normal),
        ("labelled anomalous, training", counts.labelled_anomalous),
        ("validation", counts.validation),
        ("held out for calibration", counts.calibration),
        ("normal, test", test.normal),
        ("anomalous, test", test.anomalous),
    ];
    let mut warnings: Vec<String> = report
        .data
        .findings
        .iter()
        .map(ToString::to_string)
        .collect();
    if split.excluded > 0 {
        warnings.push(format!(
            "{} training images are not used, because their group is in another part",
            split.excluded
        ));
    }
    if split.labelled.len() < split.labelled_wanted {
        warnings.push(format!(
            "the labelled ratio asks for {} anomalous training images, there are {}",
            split.labelled_wanted,
            split.labelled.len()
        ));
    }
    if let Some(controls) = &report.controls
        && controls.near_duplicates.test > 0
    {
        warnings.push(format!(
            "{} test images are nearly the same as a training image",
            controls.near_duplicates.test
        ));
    }
    if let Some(control) = &report.last.not_above_control {
        warnings.push(format!(
            "the model does not clearly beat the control {control}, so these images say little about it"
        ));
    }
    if report.config.data.skip_bad {
        warnings.push(
            "unreadable images were to be left out of training, too; the log of the training names them"
                .to_owned(),
        );
    }
    Account {
        used: used.map(|(part, count)| (part.to_owned(), count)).into(),
        found: report.data.found.clone(),
        left_out: report.left_out.clone(),
        warnings,
        controls: report.controls.as_ref().map_or_else(Vec::new, |controls| {
            let test = |of: &ControlFigures| figures::ranking(&of.name, of.test);
            controls.figures.iter().map(test).collect()
        }),
    }
}
