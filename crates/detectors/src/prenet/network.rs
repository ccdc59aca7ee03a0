use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::matrix::{Matrix, multiply};

/// Units of the layer that both images of a pair go through.
const UNITS: usize = 20;

/// A score for a pair of images: what a shared layer with ReLU makes of either, joined, and a linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// `[units, features]` of the shared layer, row-major.
    pub hidden: Vec<f64>,
    /// Of every unit.
    pub hidden_bias: Vec<f64>,
    /// Of the units for the first image, then of those for the second.
    pub score: Vec<f64>,
    /// Added to all scores.
    pub score_bias: f64,
}

impl Network {
    /// Weights uniform in `±sqrt(6 / (in + out))`, as Keras' dense layers; biases 0.
    pub(super) fn random(features: usize, random: &mut ChaCha8Rng) -> Self {
        let mut layer = |inputs: usize, outputs: usize| -> Vec<f64> {
            let bound = (6.0 / (inputs + outputs) as f64).sqrt();
            let draw = |_| random.random_range(-bound..bound);
            (0..inputs * outputs).map(draw).collect()
        };
        Self {
            hidden: layer(features, UNITS),
            hidden_bias: vec![0.0; UNITS],
            score: layer(2 * UNITS, 1),
            score_bias: 0.0,
        }
    }

    /// As many zeros.
    pub(super) fn zero(&self) -> Self {
        Self {
            hidden: vec![0.0; self.hidden.len()],
            hidden_bias: vec![0.0; self.units()],
            score: vec![0.0; self.score.len()],
            score_bias: 0.0,
        }
    }

    pub(super) fn units(&self) -> usize {
        self.hidden_bias.len()
    }

    pub(super) fn features(&self) -> usize {
        self.hidden.len() / self.units()
    }

    /// All layers, in the order of the fields.
    pub(super) fn layers(&self) -> [&[f64]; 4] {
        let bias = std::slice::from_ref(&self.score_bias);
        [&self.hidden, &self.hidden_bias, &self.score, bias]
    }

    /// The same, to be moved.
    pub(super) fn layers_mut(&mut self) -> [&mut [f64]; 4] {
        let bias = std::slice::from_mut(&mut self.score_bias);
        [
            &mut self.hidden,
            &mut self.hidden_bias,
            &mut self.score,
            bias,
        ]
    }

    /// What the shared layer makes of images.
    ///
    /// # Shapes
    /// `samples`: `[images, features]`; the result is `[images, units]`, both row-major.
    pub fn shared(&self, samples: &[f64]) -> Vec<f64> {
        let features = self.features();
        let mut out = vec![0.0; samples.len() / features * self.units()];
        let weights = Matrix::rows(&self.hidden, features).transposed();
        multiply(Matrix::rows(samples, features), weights, &mut out);
        for row in out.chunks_exact_mut(self.units()) {
            for (unit, bias) in row.iter_mut().zip(&self.hidden_bias) {
                *unit = (*unit + bias).max(0.0);
            }
        }
        out
    }

    /// The score of a pair, from what the shared layer makes of either.
    pub fn pair_score(&self, first: &[f64], second: &[f64]) -> f64 {
        let products = first.iter().chain(second).zip(&self.score);
        products.map(|(unit, weight)| unit * weight).sum::<f64>() + self.score_bias
    }

    /// The score of an image: half the mean of its scores as second after normal images, half that as first before anomalous ones. A pair's
    /// score is linear in what the shared layer makes of either, so that the mean over partners is that of their mean.
    pub fn image_score(&self, image: &[f64], partners: &[Vec<f64>; 2]) -> f64 {
        let [normal, anomalous] = partners;
        0.5 * (self.pair_score(normal, image) + self.pair_score(image, anomalous))
    }

    /// The mean of what the shared layer makes of images.
    pub fn mean_shared(&self, samples: &[f64]) -> Vec<f64> {
        let shared = self.shared(samples);
        let images = shared.chunks_exact(self.units());
        let share = (images.len() as f64).recip();
        let mut mean = vec![0.0; self.units()];
        for image in images {
            for (mean, unit) in mean.iter_mut().zip(image) {
                *mean += share * unit;
            }
        }
        mean
    }
}
