//! The images that a run trains and validates on.

use std::num::NonZeroUsize;
use std::sync::Arc;

use burn::tensor::Tensor;
use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::{
    Order, PerlinAnomalies, Reading, Schedule, Split, Textures, TrainBatch, TrainBatches,
};
use ckaad_detectors::{Detector, Inputs, Passes};

use super::anomalies::{Anomalies, drawn, noised, textures};
use super::features::{CHUNK, FeatureBank, FeatureStorage, images, masks, tensor};
use super::reading::{all_of, load_images};
use super::{TrainContext, check_stop};
use crate::config::AnomalySource;
use crate::{CheckedConfig, EngineError};

/// Warns of fewer normal images than the largest batch of those detectors that learn in steps.
pub(crate) fn warn_of_few(configs: &[CheckedConfig], normal: usize) {
    let in_steps = |config: &&CheckedConfig| config.detector.needs().passes != Passes::Once;
    let batches = configs.iter().filter(in_steps).map(|config| config.batch);
    if let Some(batch) = batches.max().filter(|&batch| normal < batch) {
        tracing::warn!(
            "{normal} normal images are fewer than a batch of {batch}: every step sees all of them"
        );
    }
}

/// What a run trains and validates on. Copies share the images and their features.
#[derive(Clone)]
pub(crate) struct TrainingData {
    pub(crate) normal: Arc<FeatureBank>,
    pub(crate) anomalies: Anomalies,
    pub(crate) validation: Arc<FeatureBank>,
    /// Whether each validation image is anomalous.
    pub(crate) validation_labels: Vec<bool>,
    /// Normal images that are held out.
    pub(crate) calibration: Arc<FeatureBank>,
    /// How pixels are read.
    pub(crate) reading: Reading,
    /// What anomalies that are drawn consist of.
    textures: Textures,
}

impl TrainingData {
    /// Reads the images, and notes in the split which were read and what they held.
    pub(crate) fn load(
        config: &CheckedConfig,
        split: &mut Split,
        with: TrainContext<'_>,
        storage: &mut FeatureStorage<'_>,
    ) -> Result<Self, EngineError> {
        let labelled = match config.anomalies {
            AnomalySource::Labelled if !ignores_anomalies(config) => split.labelled.as_slice(),
            _ => &[],
        };
        let lists = [
            split.normal.as_slice(),
            labelled,
            &split.validation,
            &split.calibration,
        ];
        let stores = lists.map(|list| {
            check_stop(with.stop)?;
            load_images(list, config, split.reading, with.observer)
        });
        let [normal, labelled, validation, calibration] = all_of(stores)?.map(Arc::new);
        let read = [
            (&normal, &mut split.normal),
            (&labelled, &mut split.labelled),
            (&validation, &mut split.validation),
            (&calibration, &mut split.calibration),
        ];
        for (store, list) in read {
            // Labelled images stay in the list of a run that does not look at them.
            if !store.is_empty() {
                *list = store.samples().to_vec();
            }
        }
        let mut keep = |images| match config.detector.needs().features {
            true => storage.keep(images),
            false => Ok(storage.without_features(images)),
        };
        let labels = validation
            .samples()
            .iter()
            .map(|sample| sample.label.is_anomalous())
            .collect();
        let textures = textures(config, split)?;
        let anomalies = match config.anomalies {
            _ if let Some(drawn) = drawn(config, &textures) => drawn,
            _ if ignores_anomalies(config) => Anomalies::None,
            AnomalySource::Elastic => Anomalies::Elastic(config.elastic),
            AnomalySource::Labelled if labelled.is_empty() => Anomalies::None,
            AnomalySource::Labelled => Anomalies::Labelled(Arc::new(keep(labelled)?)),
            AnomalySource::FeatureNoise => Anomalies::FeatureNoise,
            AnomalySource::Perlin => Anomalies::Perlin(PerlinAnomalies {
                textures: textures.clone(),
                percent: 100,
            }),
        };
        Ok(Self {
            validation: Arc::new(keep(validation)?),
            calibration: Arc::new(keep(calibration)?),
            normal: Arc::new(keep(normal)?),
            textures,
            anomalies,
            validation_labels: labels,
            reading: split.reading,
        })
    }

    /// Lets go of the pixels that no step of a detector on features looks at, unless others have them, too.
    pub(crate) fn forget_pixels(&mut self) {
        let mut banks = vec![&mut self.validation, &mut self.calibration];
        match &mut self.anomalies {
            Anomalies::Elastic(_) | Anomalies::Perlin(_) => {}
            Anomalies::Labelled(bank) => banks.extend([bank, &mut self.normal]),
            Anomalies::None | Anomalies::FeatureNoise => banks.push(&mut self.normal),
        }
        for bank in banks.into_iter().filter_map(Arc::get_mut) {
            bank.forget_pixels();
        }
    }

    /// As a run of another detector on the same images has it; these were loaded for one that looks at anomalous images, if any does.
    pub(crate) fn seen_by(&self, config: &CheckedConfig) -> Self {
        let mut data = self.clone();
        if let Some(drawn) = drawn(config, &self.textures) {
            data.anomalies = drawn;
        } else if ignores_anomalies(config) {
            data.anomalies = Anomalies::None;
        }
        data
    }

    /// The split of these images as that run notes it: what it does not look at, it does not vouch for.
    pub(crate) fn split_seen_by(config: &CheckedConfig, split: &Split) -> Split {
        let mut split = split.clone();
        if ignores_anomalies(config) {
            split
                .labelled
                .iter_mut()
                .for_each(|sample| sample.sha256 = None);
        }
        split
    }

    /// Whether validation can tell models apart.
    pub(crate) fn validation_has_both_kinds(&self) -> bool {
        self.validation_labels.contains(&true) && self.validation_labels.contains(&false)
    }

    /// Every step of the run.
    pub(crate) fn batches(&self, config: &CheckedConfig) -> TrainBatches {
        let needs = config.detector.needs();
        let (anomalies, anomalous) = match &self.anomalies {
            Anomalies::None => (ckaad_data::Anomalies::None, false),
            Anomalies::Labelled(bank) => (
                ckaad_data::Anomalies::Labelled(Arc::clone(bank.images())),
                needs.images || !bank.is_kept(),
            ),
            Anomalies::Elastic(transform) => (ckaad_data::Anomalies::Elastic(*transform), true),
            Anomalies::Perlin(perlin) => (ckaad_data::Anomalies::Perlin(perlin.clone()), true),
            Anomalies::FeatureNoise => (ckaad_data::Anomalies::None, false),
        };
        let normal = Arc::clone(self.normal.images());
        let Schedule {
            batch, order, seed, ..
        } = schedule(config, [normal.len(), 0]);
        let mut batches = TrainBatches::new(normal, anomalies, batch, order, seed);
        if self.normal.is_kept() && !needs.images {
            batches = batches.without_normal();
        }
        if !anomalous {
            batches = batches.without_anomalous();
        }
        batches
    }

    /// What the detector sees in a step: the normal images, and the anomalous ones if there are any.
    pub(crate) fn inputs(
        &self,
        batch: TrainBatch,
        config: &CheckedConfig,
        with: TrainContext<'_>,
    ) -> (Inputs, Option<Inputs>) {
        let pixels = |values| move || tensor(values, config.image_size, with.device);
        let normal = (&*self.normal, batch.step.normal.as_slice());
        let normal = inputs(Some(normal), pixels(batch.normal), config, with);
        let anomalous = match &self.anomalies {
            Anomalies::None => None,
            Anomalies::FeatureNoise => {
                let made = Inputs {
                    features: noised(&normal.features, &batch.step, config),
                    images: None,
                    masks: None,
                };
                return (normal, Some(made));
            }
            Anomalies::Labelled(_) if batch.step.anomalous.is_empty() => None,
            Anomalies::Labelled(bank) => Some((&**bank, batch.step.anomalous.as_slice())),
            Anomalies::Elastic(_) | Anomalies::Perlin(_) => {
                let made = inputs(None, pixels(batch.anomalous), config, with);
                let masks = (!batch.masks.is_empty())
                    .then(|| masks(batch.masks, config.image_size, with.device));
                return (normal, Some(Inputs { masks, ..made }));
            }
        };
        let anomalous =
            anomalous.map(|bank| inputs(Some(bank), pixels(batch.anomalous), config, with));
        (normal, anomalous)
    }
}

/// Which of so many normal and anomalous images make up which step.
pub(crate) fn schedule(config: &CheckedConfig, [normal, anomalous]: [usize; 2]) -> Schedule {
    Schedule {
        normal,
        anomalous,
        // The configuration was checked.
        batch: NonZeroUsize::new(config.batch).unwrap_or(NonZeroUsize::MIN),
        order: match config.detector.needs().passes {
            Passes::Once => Order::Once,
            Passes::Epochs => Order::Shuffled,
            Passes::OnceThenEpochs => Order::OnceThenShuffled,
        },
        seed: config.seed,
    }
}

fn ignores_anomalies(config: &CheckedConfig) -> bool {
    !config.detector.needs().anomalies.are_looked_at()
}

/// Images as the detector sees them: some of a bank whose features may be kept, or ones that were made.
fn inputs(
    of: Option<(&FeatureBank, &[usize])>,
    images: impl FnOnce() -> Tensor<4>,
    config: &CheckedConfig,
    with: TrainContext<'_>,
) -> Inputs {
    let needs = config.detector.needs();
    let kept = match needs.features {
        true => of.and_then(|(bank, indices)| bank.kept(indices, with.device)),
        false => Some(Vec::new()),
    };
    let images = (kept.is_none() || needs.images).then(images);
    let features = match (kept, &images) {
        (None, Some(images)) => with.backbone.maps(images.clone()),
        (kept, _) => kept.unwrap_or_default(),
    };
    Inputs {
        masks: None,
        features,
        images: images.filter(|_| needs.images),
    }
}

/// What calibration looks at of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ImageScore {
    pub(crate) score: f64,
    /// The largest value of the map, if there is one.
    pub(crate) peak: Option<f64>,
}

impl FeatureBank {
    /// Some images as a detector sees them, a few at a time, with their indices.
    pub(crate) fn inputs<'a>(
        &'a self,
        indices: &'a [usize],
        config: &'a CheckedConfig,
        with: TrainContext<'a>,
    ) -> impl Iterator<Item = (&'a [usize], Inputs)> {
        indices.chunks(CHUNK).map(move |chunk| {
            let pixels = || images(self.images(), chunk, with.device);
            let inputs = inputs(Some((self, chunk)), pixels, config, with);
            (chunk, inputs)
        })
    }

    /// The scores of some images.
    pub(crate) fn scores(
        &self,
        detector: &dyn Detector,
        indices: &[usize],
        config: &CheckedConfig,
        with: TrainContext<'_>,
    ) -> Vec<ImageScore> {
        let scored = self.inputs(indices, config, with);
        scored
            .flat_map(|(_, inputs)| detector.score(&inputs))
            .map(|scored| ImageScore {
                score: scored.score,
                peak: scored.map.as_ref().map(AnomalyMap::largest),
            })
            .collect()
    }
}
