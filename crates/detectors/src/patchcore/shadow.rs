//! Lower bounds of distances, from few numbers of each point.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::bounds::centre;
use crate::matrix::{Matrix, multiply};

/// Numbers of a shadow.
const NUMBERS: usize = 64;
/// Points from which the directions are computed at most.
const SAMPLE: usize = 4096;
/// Steps of the subspace iteration. More make bounds hardly closer.
const STEPS: usize = 4;
/// Points that one task looks at.
const POINTS: usize = 128;

/// Points seen along the directions in which a set of them varies most.
///
/// With orthonormal rows `V` and a centre `c`, the shadow of `x` is `V (x - c)`, and as its last number the length of what is left,
/// `|x - c - V^T V (x - c)|`. No two shadows are farther apart than their points: along `V` distances are those of the points, and the rest
/// of two points differs by at least the difference of its lengths.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shadows {
    /// `[channels]`.
    centre: Vec<f32>,
    /// `[NUMBERS - 1, channels]`: orthonormal rows, or zeros where the points have fewer dimensions.
    directions: Vec<f32>,
}

impl Shadows {
    /// For points like these: their principal directions, by subspace iteration on the covariance of a part of them. Any directions would
    /// give bounds; these give close ones.
    ///
    /// # Shapes
    /// `points`: `[points, channels]`, row-major, at least one. `None` if they have so few channels that shadows save little.
    pub(super) fn new(points: &[f32], channels: usize) -> Option<Self> {
        if channels < 2 * NUMBERS {
            return None;
        }
        let step = (points.len() / channels).div_ceil(SAMPLE);
        let sample: Vec<&[f32]> = points.chunks_exact(channels).step_by(step).collect();
        let centre = centre(points, channels, SAMPLE);
        let centred: Vec<f32> = sample
            .iter()
            .flat_map(|point| less(point, &centre))
            .collect();
        let centred = Matrix::rows(&centred, channels);
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let mut directions: Vec<f32> = (0..(NUMBERS - 1) * channels)
            .map(|_| random.random_range(-1.0..1.0))
            .collect();
        let mut seen = vec![0.0; (NUMBERS - 1) * sample.len()];
        for _ in 0..STEPS {
            orthonormalise(&mut directions, channels);
            multiply(
                Matrix::rows(&directions, channels),
                centred.transposed(),
                &mut seen,
            );
            multiply(Matrix::rows(&seen, sample.len()), centred, &mut directions);
        }
        orthonormalise(&mut directions, channels);
        Some(Self { centre, directions })
    }

    /// The shadow of every point.
    ///
    /// # Shapes
    /// `points`: `[points, channels]`, row-major; `[points, NUMBERS]`.
    pub(super) fn cast(&self, points: &[f32]) -> Vec<f32> {
        let channels = self.centre.len();
        let directions = Matrix::rows(&self.directions, channels);
        let blocks = points.par_chunks(POINTS * channels);
        let shadows = blocks.flat_map_iter(|points| {
            let count = points.len() / channels;
            let points = points.chunks_exact(channels);
            let centred: Vec<f32> = points.flat_map(|point| less(point, &self.centre)).collect();
            let mut along = vec![0.0; count * (NUMBERS - 1)];
            multiply(
                Matrix::rows(&centred, channels),
                directions.transposed(),
                &mut along,
            );
            let mut explained = vec![0.0; centred.len()];
            multiply(
                Matrix::rows(&along, NUMBERS - 1),
                directions,
                &mut explained,
            );
            let rest = centred
                .chunks_exact(channels)
                .zip(explained.chunks_exact(channels));
            let shadows = along.chunks_exact(NUMBERS - 1).zip(rest);
            let shadows = shadows.flat_map(|(along, (point, explained))| {
                let rest = less(point, explained).map(|x| x * x).sum::<f32>().sqrt();
                along.iter().copied().chain([rest])
            });
            shadows.collect::<Vec<_>>()
        });
        shadows.collect()
    }
}

fn less<'a>(a: &'a [f32], b: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
    a.iter().zip(b).map(|(a, b)| a - b)
}

/// Gram-Schmidt, twice for each row, in double precision. Rows that depend on those before them become zeros.
fn orthonormalise(rows: &mut [f32], length: usize) {
    let mut done: Vec<Vec<f64>> = Vec::new();
    for row in rows.chunks_exact_mut(length) {
        let mut values: Vec<f64> = row.iter().map(|&x| f64::from(x)).collect();
        let before = norm(&values);
        for other in done.iter().chain(&done) {
            let along: f64 = values.iter().zip(other).map(|(a, b)| a * b).sum();
            for (value, other) in values.iter_mut().zip(other) {
                *value -= along * other;
            }
        }
        let after = norm(&values);
        let scale = if after > 1e-6 * before {
            1.0 / after
        } else {
            0.0
        };
        values.iter_mut().for_each(|value| *value *= scale);
        for (row, value) in row.iter_mut().zip(&values) {
            *row = *value as f32;
        }
        done.push(values);
    }
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::distance::squared_distance;
    use super::*;

    /// Points in few dimensions and a little of all others, as features are.
    fn points(count: usize, channels: usize, noise: f32, seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut row = || {
            let [a, b]: [f32; 2] = [
                random.random_range(-3.0..3.0),
                random.random_range(-3.0..3.0),
            ];
            let values = (0..channels).map(|channel| {
                let wave = (channel as f32 * 0.3).sin();
                5.0 + a * wave + b * wave * wave + noise * random.random_range(-1.0..1.0)
            });
            values.collect::<Vec<_>>()
        };
        (0..count).flat_map(|_| row()).collect()
    }

    #[test]
    fn shadows_are_never_farther_apart_than_their_points() {
        let channels = 2 * NUMBERS;
        for noise in [0.0, 0.1, 3.0] {
            let items = points(200, channels, noise, 1);
            let others = points(POINTS + 3, channels, noise, 2);
            let shadows = Shadows::new(&items, channels).unwrap();
            let (seen, seen_others) = (shadows.cast(&items), shadows.cast(&others));
            let [mut share, mut all] = [0.0_f64; 2];
            for (other, seen_other) in others
                .chunks_exact(channels)
                .zip(seen_others.chunks_exact(NUMBERS))
            {
                for (item, seen) in items.chunks_exact(channels).zip(seen.chunks_exact(NUMBERS)) {
                    let whole = squared_distance(other, item, f32::INFINITY);
                    let bound = squared_distance(seen_other, seen, f32::INFINITY);
                    assert!(bound <= whole * (1.0 + 1e-5) + 1e-5, "{bound} of {whole}");
                    share += f64::from(bound);
                    all += f64::from(whole);
                }
            }
            // Close where few directions matter.
            assert!(noise > 1.0 || share > 0.99 * all, "{share} of {all}");
        }
    }

    #[test]
    fn few_channels_have_none_and_equal_points_have_zeros() {
        assert!(Shadows::new(&[0.0; 2 * NUMBERS - 1], 2 * NUMBERS - 1).is_none());
        let channels = 2 * NUMBERS;
        let shadows = Shadows::new(&vec![2.0; 3 * channels], channels).unwrap();
        assert!(shadows.cast(&vec![2.0; channels]).iter().all(|&x| x == 0.0));
    }
}
