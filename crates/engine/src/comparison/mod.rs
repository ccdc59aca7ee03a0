//! Several detectors on the same images: trained by the way that [`train`](crate::train) goes, on features that are computed once, compared with each
//! other and with what images give away without any network, and one of them recommended by validation alone.

pub(crate) mod controls;
mod estimate;
mod folder;
mod named;
mod report;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ckaad_data::{ImageStore, Split, near_duplicates};
use ckaad_files::FolderLock;
use toml::Table;

use self::controls::{On, Part, controls, not_above};
use self::folder::{check_out, comparable, other_run};
use self::verdict::recommend;
use crate::error::COMPARISON;
use crate::evaluation::predictions;
use crate::training::features::{FeatureBank, FeatureStorage};
use crate::training::{
    Anomalies as Source, Event, Outcome, Prepared, TrainContext, TrainingData, check_labelled,
    choose_split, go_on, load_images, log, reached, start, warn_of_few, with_epochs_for,
};
use crate::{ActiveRun, CheckedConfig, Config, EngineError, Predictor, RunFolder};

pub use self::controls::{ControlFigures, Direction};
pub use self::estimate::Estimate;
pub use self::named::detectors_named;
pub use self::report::{Comparison, DetectorFigures, Images, NearDuplicates};
pub use self::verdict::{Ranking, Verdict};

const NAME_DETECTORS: &str =
    "name some by --detectors; those that learn from labels need labelled images (--anomalous DIR)";

/// The file with the figures, in the folder of the comparison.
pub const FILE: &str = "comparison.json";

/// The `[detector]` tables that are compared where nobody says, in the order of preference.
///
/// # Errors
/// [`EngineError::Config`] if the list in the program is broken.
pub fn detectors() -> Result<Vec<Table>, EngineError> {
    let table: Table = include_str!("../../presets/compare.toml")
        .parse()
        .map_err(|error: toml::de::Error| EngineError::config(None, error))?;
    let list = table.get("detectors").and_then(toml::Value::as_array);
    let tables = list.into_iter().flatten().filter_map(toml::Value::as_table);
    Ok(tables.cloned().collect())
}

/// A comparison that has not begun: its images are chosen, nothing is read or written.
pub struct Plan<'a> {
    configs: Vec<CheckedConfig>,
    out: PathBuf,
    split: Split,
    with: TrainContext<'a>,
}

impl<'a> Plan<'a> {
    /// Chooses the images. `configs` differ in the detector and in how it learns alone and come in the order of preference. Detectors that cannot
    /// do without labelled images are left out where there are none, with a warning, if `leave_out` says so.
    ///
    /// # Errors
    /// [`EngineError::NoImages`] if a detector lacks labelled images or none is left, [`EngineError::OutputExists`] if `out` is something else than
    /// a comparison, and those of choosing images.
    pub fn new(
        configs: Vec<CheckedConfig>,
        leave_out: bool,
        out: &Path,
        with: TrainContext<'a>,
    ) -> Result<Self, EngineError> {
        check_out(out)?;
        // Where there is no labelled image, a detector that ignores them can still be trained.
        let ignores = |config: &&CheckedConfig| !config.detector.needs().anomalies.are_looked_at();
        let first = configs.iter().find(ignores).or(configs.first());
        let first = first.ok_or_else(|| EngineError::NoImages {
            reason: "there is no detector to compare".to_owned(),
            hint: NAME_DETECTORS.to_owned(),
        })?;
        first.check_device(with.device)?;
        let split = choose_split(first)?;
        let mut fit = Vec::new();
        for config in configs {
            match check_labelled(&config, &split) {
                Err(error) if leave_out => {
                    tracing::warn!("{} is left out: {error}", config.detector.name());
                }
                found => {
                    found?;
                    fit.push(with_epochs_for(&config, split.normal.len())?);
                }
            }
        }
        if fit.is_empty() {
            return Err(EngineError::NoImages {
                reason: "no detector is left to compare".to_owned(),
                hint: NAME_DETECTORS.to_owned(),
            });
        }
        Ok(Self {
            configs: fit,
            out: out.to_owned(),
            split,
            with,
        })
    }

    /// The names of the detectors.
    pub fn names(&self) -> Vec<&'static str> {
        let names = self.configs.iter().map(|config| config.detector.name());
        names.collect()
    }

    /// What the comparison will take, roughly.
    pub fn estimate(&self) -> Estimate {
        Estimate::of(&self.configs, &self.split, self.with)
    }

    /// Trains what is not trained yet, each detector in the folder of its name, and writes `comparison.json` and the scores of the test images, as an evaluation would; `None` if it was asked to stop.
    /// Called again with the same settings it goes on where it stopped. `estimate` says how long the backbone takes.
    ///
    /// # Errors
    /// [`EngineError::ResultsExist`] if a folder holds a run of other settings or images, and any other [`EngineError`].
    pub fn run(&self, estimate: &Estimate) -> Result<Option<Comparison>, EngineError> {
        let learns = |config: &&CheckedConfig| config.detector.needs().anomalies.are_looked_at();
        let config = self.configs.iter().find(learns).unwrap_or(&self.configs[0]);
        let with = self.with;
        let weights = with.backbone.fingerprint();
        let mut storage = FeatureStorage::new(config, &weights, with)?;
        let mut split = self.split.clone();
        let data = TrainingData::load(config, &mut split, with, &mut storage)?;
        warn_of_few(&self.configs, data.normal.len());
        let test = load_images(&self.split.test, config, self.split.reading, with.observer)?;
        let test = storage.keep(Arc::new(test))?;
        let _lock = FolderLock::take(&self.out)?;
        (with.observer)(Event::Prepared);
        for config in &self.configs {
            let prepared = Prepared {
                split: TrainingData::split_seen_by(config, &split),
                data: data.seen_by(config),
                weights: weights.clone(),
            };
            if self.train(config, prepared)? == Outcome::Stopped
                || self.with.stop.load(Ordering::Relaxed)
            {
                return Ok(None);
            }
        }
        let comparison = self.compare(&data, &test, estimate.seconds_per_image)?;
        let json = serde_json::to_string_pretty(&comparison)
            .map_err(|error| EngineError::file(&self.out, COMPARISON, error))?;
        ckaad_files::write(&self.out.join(FILE), json.as_bytes())?;
        Ok(Some(comparison))
    }

    /// Trains a detector, goes on with it, or finds it trained.
    fn train(
        &self,
        config: &CheckedConfig,
        mut prepared: Prepared,
    ) -> Result<Outcome, EngineError> {
        let out = self.out.join(config.detector.name());
        if !out.join("config.toml").is_file() {
            tracing::info!("training {}", config.detector.name());
            return start(config, &out, prepared, self.with);
        }
        let folder = ActiveRun::open(&out)?;
        let split = Split::read(&folder.split())?;
        if comparable(Config::read(&folder.config())?) != comparable(config.clone())
            || !split.agrees_with(&prepared.split)
        {
            return Err(other_run(out));
        }
        if folder.model().is_file() {
            return Ok(Outcome::Finished);
        }
        tracing::info!("going on with {}", config.detector.name());
        let reached = reached(config, &folder, &split, self.with)?;
        prepared.split = split;
        go_on(config, &folder, prepared, reached, self.with)
    }

    fn compare(
        &self,
        data: &TrainingData,
        test: &FeatureBank,
        per_image: f64,
    ) -> Result<Comparison, EngineError> {
        let labels = &data.validation_labels;
        let test_labels = anomalous(test.images());
        let labelled = match &data.anomalies {
            Source::Labelled(bank) => Some(bank.images()),
            _ => None,
        };
        let parts = [
            Part {
                images: data.validation.images(),
                labels,
            },
            Part {
                images: test.images(),
                labels: &test_labels,
            },
        ];
        let reading = self.split.reading;
        let normal = data.normal.images();
        let controls = controls(normal, labelled.map(|images| &**images), parts, reading)?;
        let (mut detectors, mut scores) = (Vec::new(), Vec::new());
        for config in &self.configs {
            let folder = RunFolder::open(&self.out.join(config.detector.name()))?;
            let model = Predictor::open(&folder.model(), None, self.with.device)?;
            let clock = Instant::now();
            let score = |bank: &FeatureBank| -> Vec<f64> {
                let all: Vec<usize> = (0..bank.len()).collect();
                let scores = bank.scores(model.detector(), &all, config, self.with);
                scores.into_iter().map(|scored| scored.score).collect()
            };
            let (on_validation, on_test) = (score(&data.validation), score(test));
            let scoring_seconds = clock.elapsed().as_secs_f64();
            predictions::write(
                &folder.predictions(),
                test.images().samples(),
                &on_test,
                &model,
            )?;
            let count = (on_validation.len() + on_test.len()).max(1) as f64;
            let kept = data.validation.is_kept() || test.is_kept();
            let of_backbone = if kept { per_image } else { 0.0 };
            let seconds = scoring_seconds / count + of_backbone;
            let bytes = std::fs::metadata(folder.model())
                .map_err(EngineError::io(&folder.model(), "look at"))?
                .len();
            let epochs = log::read(&folder.log(), config.epochs)?;
            detectors.push(DetectorFigures {
                name: config.detector.name().to_owned(),
                run: folder.path().to_owned(),
                validation: Ranking::of(&on_validation, labels)?,
                test: Ranking::of(&on_test, &test_labels)?,
                not_above_control: not_above(&on_validation, labels, &controls, On::Validation)?,
                training_seconds: epochs.iter().map(|record| record.seconds).sum(),
                milliseconds_per_image: 1e3 * seconds,
                model_bytes: bytes,
            });
            scores.push(on_validation);
        }
        let names = detectors.iter().map(|figures| figures.name.as_str());
        let candidates: Vec<(&str, &[f64])> = names.zip(scores.iter().map(Vec::as_slice)).collect();
        let mut recommended = recommend(&candidates, labels)?;
        if let Some(verdict) = &mut recommended {
            let chosen = detectors.iter().find(|of| of.name == verdict.detector);
            if let Some(control) = chosen.and_then(|of| of.not_above_control.as_ref()) {
                verdict.reason += &format!(
                    ". It does not clearly beat the control {control}, which sees no more than that of the images: these images say little about \
                     detectors"
                );
            }
        }
        let trained: Vec<&ImageStore> = std::iter::once(normal)
            .chain(labelled)
            .map(|images| &**images)
            .collect();
        let count = |labels: &[bool]| labels.iter().filter(|&&label| label).count();
        Ok(Comparison {
            near_duplicates: NearDuplicates {
                validation: near_duplicates(data.validation.images(), &trained),
                test: near_duplicates(test.images(), &trained),
            },
            images: Images {
                normal: normal.len(),
                labelled_anomalous: labelled.map_or(0, |images| images.len()),
                calibration: data.calibration.len(),
                validation: labels.len(),
                validation_anomalous: count(labels),
                test: test.len(),
                test_anomalous: count(&test_labels),
            },
            detectors,
            controls: controls
                .into_iter()
                .map(|control| control.figures)
                .collect(),
            recommended,
            weights: self.with.weights.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

/// Whether each image is anomalous.
pub(crate) fn anomalous(images: &ImageStore) -> Vec<bool> {
    let samples = images.samples().iter();
    samples.map(|sample| sample.label.is_anomalous()).collect()
}
