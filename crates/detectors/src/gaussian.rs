//! Normal images as one Gaussian: the Mahalanobis distance of an image's pooled features from those of normal images. Learns
//! in one pass and seconds, without labels.
//!
//! The map is of another, simpler Gaussian at every position (PaDiM with a diagonal covariance), in units of the normal
//! deviation.

use std::collections::BTreeMap;

use ckaad_anomaly_map::{AnomalyMap, AnomalyMapper};
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensor, NamedTensors};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::linear_algebra::{cholesky, ledoit_wolf, squared_distance};
use crate::pooling::{mean_and_maximum, values};
use crate::{
    Anomalies, Detector, DetectorError, Inputs, Losses, Needs, Passes, Scored, Setup, State,
    System, Trainer,
};

/// Added to every variance of the map, as PaDiM does.
const REGULARISATION: f64 = 0.01;
/// What pictures of a map show as everything, in normal deviations.
const DEVIATIONS_SHOWN: f32 = 8.0;
/// Fewer images have no spread.
const LEAST_IMAGES: usize = 2;

/// It has no settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            passes: Passes::Once,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, _: &BackboneConfig, _: usize) -> Result<(), DetectorError> {
        Ok(())
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(GaussianTrainer {
            image_size: setup.image_size,
            pooled: Vec::new(),
            positions: Vec::new(),
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let backbone = setup.backbone.config();
        let channels = backbone.channels();
        let pooled = 2 * channels.iter().sum::<usize>();
        let mut shapes = BTreeMap::from([
            ("mean".to_owned(), vec![pooled]),
            ("lower".to_owned(), vec![pooled, pooled]),
        ]);
        for (scale, (stage, channels)) in backbone.stages.iter().zip(channels).enumerate() {
            let side = setup.image_size >> (stage + 1);
            for name in ["position_mean", "position_deviation"] {
                shapes.insert(format!("{name}.{scale}"), vec![channels, side, side]);
            }
        }
        parameters.check(&shapes)?;
        let (scales, size) = (backbone.stages.len(), setup.image_size);
        Ok(Box::new(GaussianDetector::new(parameters, scales, size)))
    }
}

/// Sums over images at every channel and position of a scale.
struct Sums {
    shape: [usize; 3],
    first: Vec<f64>,
    second: Vec<f64>,
}

struct GaussianTrainer {
    image_size: usize,
    /// The pooled features of all images seen.
    pooled: Vec<Vec<f64>>,
    positions: Vec<Sums>,
}

impl Trainer for GaussianTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        self.pooled.extend(mean_and_maximum(normal));
        let scales = normal.tensors();
        if self.positions.is_empty() {
            let empty = scales.iter().map(|scale| {
                let [_, channels, height, width] = scale.dims();
                let zeros = vec![0.0; channels * height * width];
                Sums {
                    shape: [channels, height, width],
                    first: zeros.clone(),
                    second: zeros,
                }
            });
            self.positions = empty.collect();
        }
        for (sums, scale) in self.positions.iter_mut().zip(scales) {
            for image in values(scale).chunks_exact(sums.first.len()) {
                let sums = sums.first.iter_mut().zip(&mut sums.second);
                for ((first, second), &value) in sums.zip(image) {
                    let value = f64::from(value);
                    *first += value;
                    *second += value * value;
                }
            }
        }
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        let found = self.pooled.len();
        if found < LEAST_IMAGES {
            return Err(DetectorError::Images {
                system: "gaussian",
                least: LEAST_IMAGES,
                found,
            });
        }
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let (mean, covariance) = ledoit_wolf(&self.pooled);
        let d = mean.len();
        // Images that are all alike have no covariance; every direction counts the same then.
        let lower = cholesky(covariance, d).unwrap_or_else(|| {
            let diagonal = |index: usize| if index / d == index % d { 1.0 } else { 0.0 };
            (0..d * d).map(diagonal).collect()
        });
        let mut parameters = NamedTensors::new();
        let tensor = |shape: &[usize], values: Vec<f64>| NamedTensor {
            shape: shape.to_vec(),
            values: values.into_iter().map(|value| value as f32).collect(),
        };
        parameters.insert("mean", tensor(&[d], mean));
        parameters.insert("lower", tensor(&[d, d], lower));
        let count = self.pooled.len() as f64;
        for (scale, sums) in self.positions.iter().enumerate() {
            let mean: Vec<f64> = sums.first.iter().map(|sum| sum / count).collect();
            let variance = sums
                .second
                .iter()
                .zip(&mean)
                .map(|(sum, mean)| (sum / count - mean * mean).max(0.0) + REGULARISATION);
            let deviation = variance.map(f64::sqrt).collect();
            parameters.insert(format!("position_mean.{scale}"), tensor(&sums.shape, mean));
            parameters.insert(
                format!("position_deviation.{scale}"),
                tensor(&sums.shape, deviation),
            );
        }
        let scales = self.positions.len();
        Box::new(GaussianDetector::new(parameters, scales, self.image_size))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        let images = [self.pooled.len() as f64];
        let shapes = self.positions.iter().flat_map(|sums| sums.shape);
        state.insert_numbers("shapes", shapes.map(|length| length as f64));
        state.insert_numbers(
            "pooled",
            images
                .into_iter()
                .chain(self.pooled.iter().flatten().copied()),
        );
        let sums = self
            .positions
            .iter()
            .flat_map(|sums| sums.first.iter().chain(&sums.second));
        state.insert_numbers("sums", sums.copied());
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let fits = |fits: bool, part: &str| match fits {
            true => Ok(()),
            false => Err(DetectorError::state(part)("it is of another length")),
        };
        let pooled = state.take_numbers("pooled")?;
        let (&images, pooled) = pooled.split_first().unwrap_or((&0.0, &[]));
        let images = images as usize;
        let length = pooled.len().checked_div(images).unwrap_or(0);
        fits(pooled.len() == images * length, "pooled")?;
        self.pooled = pooled
            .chunks_exact(length.max(1))
            .map(<[f64]>::to_vec)
            .collect();
        let shapes = state.take_numbers("shapes")?;
        let sums = state.take_numbers("sums")?;
        let mut rest = sums.as_slice();
        self.positions.clear();
        for shape in shapes.as_chunks::<3>().0 {
            let shape = shape.map(|length| length as usize);
            let length = shape.iter().product();
            fits(rest.len() >= 2 * length, "sums")?;
            let (first, after) = rest.split_at(length);
            let (second, after) = after.split_at(length);
            self.positions.push(Sums {
                shape,
                first: first.to_vec(),
                second: second.to_vec(),
            });
            rest = after;
        }
        fits(rest.is_empty(), "sums")
    }
}

/// A Gaussian of pooled features, and one of every position.
struct GaussianDetector {
    parameters: NamedTensors,
    mean: Vec<f64>,
    /// The Cholesky factor of the covariance, row-major.
    lower: Vec<f64>,
    scales: usize,
    mapper: AnomalyMapper,
}

impl GaussianDetector {
    fn new(parameters: NamedTensors, scales: usize, image_size: usize) -> Self {
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
