//! Where anomalous training images come from.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use ckaad_data::{
    ElasticTransform, FeatureNoise, PerlinAnomalies, Sample, Split, Step, StoreOptions, Textures,
};
use ckaad_ops::FeatureMap;
use rayon::prelude::*;

use super::features::FeatureBank;
use crate::{CheckedConfig, EngineError};

/// Where a step's anomalous images come from.
#[derive(Clone)]
pub(crate) enum Anomalies {
    None,
    Labelled(Arc<FeatureBank>),
    /// The step's normal images, warped.
    Elastic(ElasticTransform),
    /// The step's normal images, with anomalies drawn into them.
    Perlin(PerlinAnomalies),
    /// The features of the step's normal images, with noise.
    FeatureNoise,
}

/// What drawn anomalies consist of: the images of a folder, or formulas. A run that is gone on with has the images that it noted, as they were.
pub(super) fn textures(config: &CheckedConfig, split: &mut Split) -> Result<Textures, EngineError> {
    let Some(folder) = &config.textures else {
        split.textures.clear();
        return Ok(Textures::Procedural);
    };
    let inside = |sample: &Sample| sample.path.file().starts_with(folder);
    if split.textures.is_empty() || !split.textures.iter().all(inside) {
        split.textures = Textures::choose(folder, config.seed)?;
    }
    let options = StoreOptions {
        size: config.image_size,
        ..StoreOptions::DEFAULT
    };
    Ok(Textures::load(&mut split.textures, options)?)
}

/// The anomalies of a detector that asks for drawn ones.
pub(super) fn drawn(config: &CheckedConfig, textures: &Textures) -> Option<Anomalies> {
    match config.detector.needs().anomalies {
        ckaad_detectors::Anomalies::Drawn { percent } => Some(Anomalies::Perlin(PerlinAnomalies {
            textures: textures.clone(),
            percent,
        })),
        _ => None,
    }
}

/// Features of a step's normal images with noise, each drawn by seed, epoch and image.
pub(super) fn noised(
    features: &[FeatureMap],
    step: &Step,
    config: &CheckedConfig,
) -> Vec<FeatureMap> {
    let draw = |&index: &usize| FeatureNoise::draw([config.seed, step.epoch, index as u64]);
    let drawn: Vec<FeatureNoise> = step.normal.iter().map(draw).collect();
    let scales = features.iter().enumerate();
    scales
        .map(|(scale, map)| {
            let map = map.to_tensor();
            let (shape, device) = (map.dims(), map.device());
            let [_, channels, height, width] = shape;
            let data = map.into_data().convert::<f32>();
            let mut values: Vec<f32> = data.iter::<f32>().collect();
            values
                .par_chunks_exact_mut(channels * height * width)
                .zip(&drawn)
                .for_each(|(image, noise)| {
                    noise.add(image, [height, width], scale, config.feature_noise);
                });
            FeatureMap::plain(Tensor::from_data(TensorData::new(values, shape), &device))
        })
        .collect()
}
