//! A Gaussian at every position.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::linear_algebra::cholesky;

/// Added to every variance.
const REGULARISATION: f64 = 0.01;

/// Which covariances are learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    /// Of all pairs of channels.
    #[default]
    Full,
    /// Of every channel with itself.
    Diagonal,
}

impl Covariance {
    /// Numbers of a covariance between so many channels.
    pub(super) fn len(self, channels: usize) -> usize {
        match self {
            Self::Full => channels * (channels + 1) / 2,
            Self::Diagonal => channels,
        }
    }
}

/// Sums over images at every position.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    covariance: Covariance,
    channels: usize,
    pub(super) images: usize,
    /// Of every channel: `[positions, channels]`.
    pub(super) first: Vec<f64>,
    /// Of products of channels: `[positions, pairs]`; the lower triangle row after row, or the diagonal.
    pub(super) second: Vec<f64>,
}

impl Moments {
    /// Of no image.
    pub fn new(covariance: Covariance, positions: usize, channels: usize) -> Self {
        Self {
            covariance,
            channels,
            images: 0,
            first: vec![0.0; positions * channels],
            second: vec![0.0; positions * covariance.len(channels)],
        }
    }

    /// Adds a batch.
    ///
    /// # Shapes
    /// `embedding`: `[positions, batch, channels]`.
    ///
    /// # Panics
    /// If it has another number of positions or channels.
    pub fn add(&mut self, embedding: &[f32]) {
        let (channels, covariance) = (self.channels, self.covariance);
        let positions = self.first.len() / channels;
        let batch = embedding.len() / (positions * channels);
        assert_eq!(
            embedding.len(),
            positions * batch * channels,
            "an embedding"
        );
        self.images += batch;
        let first = self.first.par_chunks_exact_mut(channels);
        first
            .zip(self.second.par_chunks_exact_mut(covariance.len(channels)))
            .zip(embedding.par_chunks_exact(batch * channels))
            .for_each_init(Vec::new, |image, ((first, second), images)| {
                for values in images.chunks_exact(channels) {
                    image.clear();
                    image.extend(values.iter().copied().map(f64::from));
                    for (sum, value) in first.iter_mut().zip(&*image) {
                        *sum += value;
                    }
                    match covariance {
                        Covariance::Full => add_triangle(second, image),
                        Covariance::Diagonal => {
                            for (sum, value) in second.iter_mut().zip(&*image) {
                                *sum += value * value;
                            }
                        }
                    }
                }
            });
    }

    /// Mean and covariance (divisor `images - 1`, 0.01 added to every variance) at a position: `[channels]` and, as the sums, a lower
    /// triangle or a diagonal.
    ///
    /// # Panics
    /// If there is no such position.
    pub fn gaussian(&self, position: usize) -> (Vec<f64>, Vec<f64>) {
        let (channels, pairs) = (self.channels, self.covariance.len(self.channels));
        let count = self.images as f64;
        let first = &self.first[position * channels..][..channels];
        let mean: Vec<f64> = first.iter().map(|sum| sum / count).collect();
        let mut covariance = self.second[position * pairs..][..pairs].to_vec();
        let mut of_pair = |pair: usize, row: usize, column: usize| {
            let centred = covariance[pair] - first[row] * mean[column];
            covariance[pair] = centred / (count - 1.0);
            if row == column {
                covariance[pair] = covariance[pair].max(0.0) + REGULARISATION;
            }
        };
        match self.covariance {
            Covariance::Full => {
                let all = (0..channels).flat_map(|row| (0..=row).map(move |column| (row, column)));
                for (pair, (row, column)) in all.enumerate() {
                    of_pair(pair, row, column);
                }
            }
            Covariance::Diagonal => {
                (0..channels).for_each(|channel| of_pair(channel, channel, channel))
            }
        }
        (mean, covariance)
    }

    /// What distances are measured by.
    pub fn gaussians(&self) -> Gaussians {
        let (channels, pairs) = (self.channels, self.covariance.len(self.channels));
        let mut gaussians = Gaussians {
            covariance: self.covariance,
            channels,
            mean: vec![0.0; self.first.len()],
            factor: vec![0.0; self.second.len()],
        };
        let mean = gaussians.mean.par_chunks_exact_mut(channels);
        mean.zip(gaussians.factor.par_chunks_exact_mut(pairs))
            .enumerate()
            .for_each(|(position, (mean_out, factor_out))| {
                let (mean, covariance) = self.gaussian(position);
                let factor = match self.covariance {
                    Covariance::Full => columns_of_factor(&covariance, channels),
                    Covariance::Diagonal => covariance.into_iter().map(f64::sqrt).collect(),
                };
                let single = |(out, value): (&mut f32, f64)| *out = value as f32;
                mean_out.iter_mut().zip(mean).for_each(single);
                factor_out.iter_mut().zip(factor).for_each(single);
            });
        gaussians
    }
}

fn add_triangle(mut sums: &mut [f64], values: &[f64]) {
    for (index, value) in values.iter().enumerate() {
        let (row, rest) = std::mem::take(&mut sums).split_at_mut(index + 1);
        for (sum, other) in row.iter_mut().zip(values) {
            *sum += value * other;
        }
        sums = rest;
    }
}

/// The columns of the Cholesky factor of a lower triangle, from the diagonal on, one after another.
fn columns_of_factor(triangle: &[f64], n: usize) -> Vec<f64> {
    let mut matrix = vec![0.0; n * n];
    let mut rest = triangle;
    for row in 0..n {
        let (this, after) = rest.split_at(row + 1);
        matrix[row * n..][..=row].copy_from_slice(this);
        rest = after;
    }
    // Its smallest eigenvalue is what was added, far above rounding, unless a value is not finite.
    let factor = cholesky(matrix, n).unwrap_or_else(|| vec![f64::NAN; n * n]);
    let elements = (0..n).flat_map(|column| (column..n).map(move |row| row * n + column));
    elements.map(|index| factor[index]).collect()
}

/// Mean and covariance at every position.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussians {
    pub(super) covariance: Covariance,
    pub(super) channels: usize,
    /// `[positions, channels]`.
    pub(super) mean: Vec<f32>,
    /// `[positions, pairs]`: the columns of the Cholesky factor from the diagonal on, or standard deviations.
    pub(super) factor: Vec<f32>,
}

impl Gaussians {
    /// The Mahalanobis distance of every position of every image from its mean: for each image `[positions]`.
    ///
    /// # Shapes
    /// `embedding`: `[positions, batch, channels]`.
    ///
    /// # Panics
    /// If it has another number of positions or channels.
    pub fn distances(&self, embedding: &[f32]) -> Vec<Vec<f32>> {
        let channels = self.channels;
        let positions = self.mean.len() / channels;
        let batch = embedding.len() / (positions * channels);
        assert_eq!(
            embedding.len(),
            positions * batch * channels,
            "an embedding"
        );
        let mut of_positions = vec![0.0; positions * batch];
        of_positions
            .par_chunks_exact_mut(batch)
            .zip(embedding.par_chunks_exact(batch * channels))
            .enumerate()
            .for_each_init(Vec::new, |deviation, (position, (out, images))| {
                let mean = &self.mean[position * channels..][..channels];
                let pairs = self.covariance.len(channels);
                let factor = &self.factor[position * pairs..][..pairs];
                for (out, image) in out.iter_mut().zip(images.chunks_exact(channels)) {
                    deviation.clear();
                    deviation.extend(image.iter().zip(mean).map(|(value, mean)| value - mean));
                    let square = match self.covariance {
                        Covariance::Full => solved_square(factor, deviation),
                        Covariance::Diagonal => {
                            let deviations = deviation.iter().zip(factor);
                            deviations
                                .map(|(x, deviation)| (x / deviation).powi(2))
                                .sum()
                        }
                    };
                    *out = square.sqrt();
                }
            });
        let of_image = |image| {
            of_positions[image..]
                .iter()
                .step_by(batch)
                .copied()
                .collect()
        };
        (0..batch).map(of_image).collect()
    }
}

/// The squared norm of `L^-1 x` by forward substitution, column after column; `x` is overwritten.
fn solved_square(columns: &[f32], x: &mut [f32]) -> f32 {
    let (mut columns, mut rest, mut sum) = (columns, x, 0.0);
    while let Some((first, others)) = std::mem::take(&mut rest).split_first_mut() {
        let (column, after) = columns.split_at(others.len() + 1);
        let solved = *first / column[0];
        sum += solved * solved;
        for (x, factor) in others.iter_mut().zip(&column[1..]) {
            *x -= factor * solved;
        }
        (columns, rest) = (after, others);
    }
    sum
}
