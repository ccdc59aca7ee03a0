//! What a comparison will take, from numbers of images and a short trial.

use std::time::Instant;

use burn::tensor::Tensor;
use serde::Serialize;

use crate::CheckedConfig;
use crate::training::TrainContext;
use crate::training::features::CHUNK;

/// Time and memory of a comparison, roughly: what training itself takes comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Images in all parts.
    pub images: usize,
    /// Seconds that the backbone takes for an image.
    pub seconds_per_image: f64,
    /// Seconds to prepare the features of all images, once for all detectors.
    pub feature_seconds: f64,
    /// Bytes of these features.
    pub feature_bytes: u64,
}

impl Estimate {
    pub(super) fn of(config: &CheckedConfig, images: usize, with: TrainContext<'_>) -> Self {
        let side = config.image_size;
        let forward = || -> usize {
            let batch = Tensor::zeros([CHUNK, 3, side, side], with.device);
            let maps = with.backbone.forward(batch).into_iter();
            // Data that is asked for has been computed.
            maps.map(|map| map.into_data().num_elements()).sum()
        };
        forward();
        let clock = Instant::now();
        let values = forward();
        let seconds_per_image = clock.elapsed().as_secs_f64() / CHUNK as f64;
        let bytes = values / CHUNK * images * config.feature_precision.bytes();
        Self {
            images,
            seconds_per_image,
            feature_seconds: seconds_per_image * images as f64,
            feature_bytes: bytes as u64,
        }
    }
}
