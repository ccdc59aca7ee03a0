//! From settings to the images of a run.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ckaad_data::{
    Dataset, ElasticTransform, ImageStore, Label, Labelled, OnBad, Protocol, Sample, Split,
    StoreOptions, TrainBatches,
};

use crate::event::{Event, Observer};
use crate::features::{CHUNK, FeatureBank, FeatureCache};
use crate::{AnomalySource, Config, Detector, EngineError, Surroundings};

/// Lists the images of a run: those of an earlier split file, or drawn from the data set by the protocol.
pub(crate) fn choose_split(config: &Config) -> Result<Split, EngineError> {
    if let Some(path) = &config.data.split {
        let split = Split::read(path)?;
        check_labelled(config, &split)?;
        return Ok(split);
    }
    let data = &config.data;
    let dataset = match (&data.folders, data.layout, &data.root) {
        (Some(folders), _, _) => Dataset::from_folders(folders)?,
        (None, Some(layout), Some(root)) => Dataset::open(layout, root, data.category.as_deref())?,
        // `Config::validate` lets nothing else through.
        _ => {
            return Err(EngineError::setting(
                "data",
                "",
                "says nowhere where the images are",
            ));
        }
    };
    let mut protocol = Protocol {
        labelled: Labelled::Ratio(0.0),
        labelled_classes: config.labelled_classes.clone(),
        validation: config.validation,
        seed: config.seed,
        group_by: config.group_by,
    };
    if config.anomalies == AnomalySource::Labelled {
        protocol.labelled = config.labelled_ratio.map_or(Labelled::All, Labelled::Ratio);
        let pool = dataset
            .train
            .iter()
            .any(|sample| sample.label == Label::Anomalous);
        if !pool && !config.method.uses_anomalies() {
            protocol.labelled = Labelled::Ratio(0.0);
        }
    }
    let split = protocol.split(&dataset)?;
    if split.labelled.len() < split.labelled_wanted {
        tracing::warn!(
            "the labelled ratio asks for {} anomalous images, there are {}",
            split.labelled_wanted,
            split.labelled.len()
        );
    }
    check_labelled(config, &split)?;
    Ok(split)
}

/// A method that learns from labelled images must have some, unless it was asked to do without.
fn check_labelled(config: &Config, split: &Split) -> Result<(), EngineError> {
    let needs = config.method.uses_anomalies()
        && config.anomalies == AnomalySource::Labelled
        && config.labelled_ratio != Some(0.0);
    if !needs || !split.labelled.is_empty() {
        return Ok(());
    }
    let validation = split
        .validation
        .iter()
        .filter(|sample| sample.label.is_anomalous())
        .count();
    let why = match validation {
        0 => "there is none".to_owned(),
        count => format!(
            "none is left after {count} went to validation (--set 'validation=\"none\"' keeps them)"
        ),
    };
    Err(EngineError::NoImages {
        reason: format!(
            "the method {} learns from labelled anomalous training images, but {why}; give more (--anomalous DIR), let \
             an elastic transform make them (--anomalies elastic), or do without (--method recon)",
            config.method
        ),
    })
}

/// What a run trains and validates on.
pub(crate) struct TrainingData {
    pub(crate) normal: FeatureBank,
    pub(crate) anomalies: Anomalies,
    pub(crate) validation: FeatureBank,
    /// Whether each validation image is anomalous.
    pub(crate) validation_labels: Vec<bool>,
}

/// Where a step's anomalous images come from.
pub(crate) enum Anomalies {
    None,
    Labelled(FeatureBank),
    /// The step's normal images, warped.
    Elastic(ElasticTransform),
}

impl TrainingData {
    pub(crate) fn load(
        config: &Config,
        split: &Split,
        with: Surroundings<'_>,
        fingerprint: &str,
    ) -> Result<Self, EngineError> {
        let Surroundings {
            backbone,
            device,
            observer,
            ..
        } = with;
        let load = |samples: &[Sample]| load_images(samples, config, observer).map(Arc::new);
        let (normal, validation) = (load(&split.normal)?, load(&split.validation)?);
        if normal.len() < config.batch {
            tracing::warn!(
                "{} normal images are fewer than a batch of {}: every step sees all of them",
                normal.len(),
                config.batch
            );
        }
        let labels = validation
            .samples()
            .iter()
            .map(|sample| sample.label.is_anomalous())
            .collect();
        let mut cache = FeatureCache::new(config, (backbone, fingerprint), device, observer)?;
        let anomalies = match config.anomalies {
            _ if !config.method.uses_anomalies() => Anomalies::None,
            AnomalySource::Elastic => Anomalies::Elastic(config.elastic),
            AnomalySource::Labelled if split.labelled.is_empty() => Anomalies::None,
            AnomalySource::Labelled => Anomalies::Labelled(cache.bank(load(&split.labelled)?)?),
        };
        Ok(Self {
            validation: cache.bank(validation)?,
            normal: cache.bank(normal)?,
            anomalies,
            validation_labels: labels,
        })
    }

    /// The steps of the run, with the images whose features are computed in the step itself.
    pub(crate) fn batches(&self, config: &Config) -> TrainBatches {
        let (anomalies, kept) = match &self.anomalies {
            Anomalies::None => (ckaad_data::Anomalies::None, true),
            Anomalies::Labelled(bank) => (
                ckaad_data::Anomalies::Labelled(Arc::clone(bank.images())),
                bank.is_kept(),
            ),
            Anomalies::Elastic(transform) => (ckaad_data::Anomalies::Elastic(*transform), false),
        };
        let normal = Arc::clone(self.normal.images());
        let batch = NonZeroUsize::new(config.batch).unwrap_or(NonZeroUsize::MIN);
        let mut batches = TrainBatches::new(normal, anomalies, batch, config.seed);
        if self.normal.is_kept() {
            batches = batches.without_normal();
        }
        if kept {
            batches = batches.without_anomalous();
        }
        batches
    }
}

impl FeatureBank {
    /// The scores of the first `count` images.
    pub(crate) fn scores(&self, detector: &Detector, count: usize) -> Vec<f64> {
        let indices: Vec<usize> = (0..count.min(self.len())).collect();
        indices
            .chunks(CHUNK)
            .flat_map(|chunk| {
                let features = self.batch(chunk, &detector.backbone, detector.device());
                detector
                    .score_features(&features)
                    .into_iter()
                    .map(|scored| scored.score)
            })
            .collect()
    }
}

/// Decodes the images of a list.
pub(crate) fn load_images(
    samples: &[Sample],
    config: &Config,
    observer: Observer<'_>,
) -> Result<ImageStore, EngineError> {
    let options = StoreOptions {
        size: config.image_size,
        on_bad: if config.data.skip_bad {
            OnBad::Skip
        } else {
            OnBad::Fail
        },
        ..StoreOptions::DEFAULT
    };
    let report = |done, total| {
        observer(Event::Progress {
            what: "reading images",
            done,
            total,
        });
    };
    let (store, skipped) = ImageStore::load(samples, options, Some(&report))?;
    for skipped in skipped {
        tracing::warn!("left out: {}", skipped.error);
    }
    Ok(store)
}
