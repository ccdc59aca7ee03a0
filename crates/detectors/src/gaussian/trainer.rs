use ckaad_parameters::{NamedTensor, NamedTensors};

use super::GaussianDetector;
use crate::linear_algebra::{cholesky, ledoit_wolf};
use crate::pooling::{mean_and_maximum, values};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

/// Added to every variance of the map, as PaDiM does.
const REGULARISATION: f64 = 0.01;
/// Fewer images have no spread.
const LEAST_IMAGES: usize = 2;

/// Sums over images at every channel and position of a scale.
pub(super) struct Sums {
    shape: [usize; 3],
    first: Vec<f64>,
    second: Vec<f64>,
}

/// Collects what the Gaussians are made of.
pub(super) struct GaussianTrainer {
    pub(super) image_size: usize,
    /// The pooled features of all images seen.
    pub(super) pooled: Vec<Vec<f64>>,
    pub(super) positions: Vec<Sums>,
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
