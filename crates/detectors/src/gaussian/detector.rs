use ckaad_anomaly_map::{AnomalyMap, AnomalyMapper};
use ckaad_parameters::NamedTensors;
use rayon::prelude::*;

use crate::linear_algebra::squared_distance;
use crate::pooling::{mean_and_maximum, values};
use crate::{Detector, Inputs, Scored};

/// What pictures of a map show as everything, in normal deviations.
const DEVIATIONS_SHOWN: f32 = 8.0;

/// A Gaussian of pooled features, and one of every position.
pub(super) struct GaussianDetector {
    parameters: NamedTensors,
    mean: Vec<f64>,
    /// The Cholesky factor of the covariance, row-major.
    lower: Vec<f64>,
    scales: usize,
    mapper: AnomalyMapper,
}

impl GaussianDetector {
    /// From its parameters: `mean` and `lower` of the pooled features, `position_mean` and `position_deviation` of every scale.
    pub(super) fn new(parameters: NamedTensors, scales: usize, image_size: usize) -> Self {
        let double = |name: &str| -> Vec<f64> {
            let values = parameters
                .get(name)
                .map_or(&[][..], |tensor| &tensor.values);
            values.iter().copied().map(f64::from).collect()
        };
        Self {
            mean: double("mean"),
            lower: double("lower"),
            parameters,
            scales,
            mapper: AnomalyMapper::new(image_size, image_size),
        }
    }

    /// The root mean square of the deviations of all channels at every position, for every image of a batch.
    fn distances(&self, scale: usize, features: &[f32], shape: [usize; 4]) -> Vec<AnomalyMap> {
        let [_, channels, height, width] = shape;
        let parameter = |name: &str| {
            let tensor = self.parameters.get(&format!("{name}.{scale}"));
            tensor.map_or(&[][..], |tensor| &tensor.values)
        };
        let (mean, deviation) = (parameter("position_mean"), parameter("position_deviation"));
        let positions = height * width;
        features
            .par_chunks_exact(channels * positions)
            .map(|image| {
                let mut squares = vec![0.0_f32; positions];
                let of_channels = image
                    .chunks_exact(positions)
                    .zip(mean.chunks_exact(positions))
                    .zip(deviation.chunks_exact(positions));
                for ((image, mean), deviation) in of_channels {
                    let values = image.iter().zip(mean).zip(deviation);
                    for (sum, ((x, mean), deviation)) in squares.iter_mut().zip(values) {
                        *sum += ((x - mean) / deviation).powi(2);
                    }
                }
                let share = 1.0 / channels as f32;
                let values = squares
                    .iter()
                    .map(|sum| (sum * share).sqrt() / self.scales as f32);
                AnomalyMap {
                    height,
                    width,
                    values: values.collect(),
                }
            })
            .collect()
    }
}

impl Detector for GaussianDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let scales: Vec<Vec<AnomalyMap>> = inputs
            .tensors()
            .into_iter()
            .enumerate()
            .map(|(scale, features)| {
                let shape = features.dims();
                self.distances(scale, &values(features), shape)
            })
            .collect();
        mean_and_maximum(inputs)
            .into_par_iter()
            .enumerate()
            .map(|(image, pooled)| {
                let deviation: Vec<f64> = pooled
                    .iter()
                    .zip(&self.mean)
                    .map(|(x, mean)| x - mean)
                    .collect();
                let of_image: Vec<AnomalyMap> =
                    scales.iter().map(|maps| maps[image].clone()).collect();
                Scored {
                    score: squared_distance(&self.lower, &deviation).sqrt(),
                    map: Some(self.mapper.map(&of_image)),
                }
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        self.parameters.clone()
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, DEVIATIONS_SHOWN]
    }
}
