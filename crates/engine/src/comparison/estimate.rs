//! What a comparison will take, from numbers of images and a short trial.

use std::time::Instant;

use burn::tensor::Tensor;
use ckaad_data::Split;
use ckaad_detectors::{Anomalies, Inputs, Passes};
use ckaad_ops::FeatureMap;
use serde::Serialize;

use crate::CheckedConfig;
use crate::config::AnomalySource;
use crate::training::features::CHUNK;
use crate::training::{TrainContext, schedule};

/// Time and memory of a comparison, roughly.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Images in all parts.
    pub images: usize,
    /// Seconds that the backbone takes for an image.
    pub seconds_per_image: f64,
    /// Seconds to prepare the features of all images, once for all detectors.
    pub feature_seconds: f64,
    /// Bytes of these features.
    pub feature_bytes: u64,
    /// Seconds of training by name, of the detectors that learn in epochs: what one step took, times the steps. What the others do at the end of
    /// their single pass takes seconds to minutes.
    pub training_seconds: Vec<(&'static str, f64)>,
}

impl Estimate {
    pub(super) fn of(configs: &[CheckedConfig], split: &Split, with: TrainContext<'_>) -> Self {
        let config = &configs[0];
        let forward = || -> usize {
            let maps = features(CHUNK, config, with).into_iter();
            // Data that is asked for has been computed.
            maps.map(|map| map.to_tensor().into_data().num_elements())
                .sum()
        };
        forward();
        let clock = Instant::now();
        let values = forward();
        let seconds_per_image = clock.elapsed().as_secs_f64() / CHUNK as f64;
        let Split {
            normal,
            labelled,
            validation,
            calibration,
            test,
            ..
        } = split;
        let parts = [normal, labelled, validation, calibration, test];
        let images: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = values / CHUNK * images * config.feature_precision.bytes();
        let training = configs.iter().filter_map(|config| {
            let seconds = training(config, [normal.len(), labelled.len()], with)?;
            Some((config.detector.name(), seconds))
        });
        Self {
            images,
            seconds_per_image,
            feature_seconds: seconds_per_image * images as f64,
            feature_bytes: bytes as u64,
            training_seconds: training.collect(),
        }
    }
}

/// The features of images without content.
fn features(images: usize, config: &CheckedConfig, with: TrainContext<'_>) -> Vec<FeatureMap> {
    let side = config.image_size;
    with.backbone
        .maps(Tensor::zeros([images, 3, side, side], with.device))
}

/// Seconds of all steps of a detector that learns in epochs, from its second one.
fn training(
    config: &CheckedConfig,
    [normal, labelled]: [usize; 2],
    with: TrainContext<'_>,
) -> Option<f64> {
    let needs = config.detector.needs();
    if needs.passes != Passes::Epochs {
        return None;
    }
    let images = normal;
    let inputs = |images: usize| {
        let side = config.image_size;
        let pixels = || Tensor::zeros([images, 3, side, side], with.device);
        Inputs {
            masks: needs
                .images
                .then(|| Tensor::zeros([images, 1, side, side], with.device)),
            features: match needs.features {
                true => features(images, config, with),
                false => Vec::new(),
            },
            images: needs.images.then(pixels),
        }
    };
    let anomalous = match config.anomalies {
        _ if matches!(needs.anomalies, Anomalies::Drawn { .. }) => normal.min(config.batch),
        _ if needs.anomalies == Anomalies::Ignored => 0,
        AnomalySource::Labelled => labelled.min(config.batch),
        AnomalySource::Elastic | AnomalySource::Perlin | AnomalySource::FeatureNoise => {
            normal.min(config.batch)
        }
    };
    let normal = inputs(normal.min(config.batch));
    let anomalous = (anomalous > 0).then(|| inputs(anomalous));
    let mut trainer = with.trainer(config, images);
    let mut step = || {
        for (_, loss) in trainer.step(&normal, anomalous.as_ref()).0 {
            loss.into_data();
        }
    };
    step();
    let clock = Instant::now();
    step();
    let steps = schedule(config, [images, 0]).steps_before(config.epochs as u64);
    Some(clock.elapsed().as_secs_f64() * steps as f64)
}
