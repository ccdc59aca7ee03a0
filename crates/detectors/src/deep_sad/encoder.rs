//! The network: linear layers without offset; after all but the last, a batch norm without parameters and a leaky ReLU. In double precision:
//! so small a network takes no longer, and Adam's first steps turn rounding of a gradient around zero into whole steps.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::matrix::{Matrix, multiply};

/// Added to variances.
const EPSILON: f64 = 1e-4;
/// The share of a batch in the running statistics.
const MOMENTUM: f64 = 0.1;
/// What of a negative number passes.
const LEAK: f64 = 0.01;

/// Features to a point. No layer has an offset, so that no point is the same for all features.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoder {
    /// From the features' number to the point's.
    pub widths: Vec<usize>,
    /// `[out, in]` of every layer, row-major.
    pub weights: Vec<Vec<f64>>,
    /// Running mean and variance of every layer but the last.
    pub statistics: Vec<[Vec<f64>; 2]>,
}

/// What a batch left in a hidden layer.
struct Hidden {
    normed: Vec<f64>,
    /// One over the deviation of every unit.
    scale: Vec<f64>,
    output: Vec<f64>,
}

/// What a batch left in all layers.
pub(super) struct Pass {
    input: Vec<f64>,
    hidden: Vec<Hidden>,
    /// `[batch, width of the last]`.
    pub(super) output: Vec<f64>,
}

impl Encoder {
    /// Weights uniform in `±1 / sqrt(in)`.
    pub(super) fn random(widths: Vec<usize>, random: &mut ChaCha8Rng) -> Self {
        let mut layer = |pair: &[usize]| {
            let bound = (pair[0] as f64).sqrt().recip();
            let draw = |_| random.random_range(-bound..bound);
            (0..pair[0] * pair[1]).map(draw).collect()
        };
        let hidden = &widths[1..widths.len() - 1];
        Self {
            weights: widths.windows(2).map(&mut layer).collect(),
            statistics: hidden
                .iter()
                .map(|&width| [vec![0.0; width], vec![1.0; width]])
                .collect(),
            widths,
        }
    }

    /// With the running statistics.
    ///
    /// # Shapes
    /// `samples`: `[batch, first width]`; the result is `[batch, last width]`, both row-major.
    pub fn forward(&self, samples: &[f64]) -> Vec<f64> {
        let mut x = samples.to_vec();
        for (layer, [mean, variance]) in self.statistics.iter().enumerate() {
            x = self.linear(layer, &x);
            for row in x.chunks_exact_mut(mean.len()) {
                for (x, (mean, variance)) in row.iter_mut().zip(mean.iter().zip(variance)) {
                    *x = leaky((*x - mean) * scale(*variance));
                }
            }
        }
        self.linear(self.statistics.len(), &x)
    }

    /// With the statistics of the batch, which the running ones follow.
    pub(super) fn train(&mut self, samples: &[f64]) -> Pass {
        let mut hidden: Vec<Hidden> = Vec::new();
        for layer in 0..self.statistics.len() {
            let input = hidden.last().map_or(samples, |hidden| &hidden.output);
            let mut normed = self.linear(layer, input);
            let width = self.widths[layer + 1];
            let count = (normed.len() / width) as f64;
            let [mean, square] = column_sums(&normed, width, |x| [x, x * x])
                .map(|sums| sums.into_iter().map(|sum| sum / count).collect::<Vec<_>>());
            let variance = square
                .iter()
                .zip(&mean)
                .map(|(square, mean)| (square - mean * mean).max(0.0));
            let variance: Vec<f64> = variance.collect();
            let [running_mean, running_variance] = &mut self.statistics[layer];
            let unbiased = count / (count - 1.0).max(1.0);
            for (running, (batch, factor)) in [
                (running_mean, (&mean, 1.0)),
                (running_variance, (&variance, unbiased)),
            ] {
                for (running, batch) in running.iter_mut().zip(batch) {
                    *running = (1.0 - MOMENTUM) * *running + MOMENTUM * factor * batch;
                }
            }
            let scale: Vec<f64> = variance.into_iter().map(scale).collect();
            for row in normed.chunks_exact_mut(width) {
                for (x, (mean, scale)) in row.iter_mut().zip(mean.iter().zip(&scale)) {
                    *x = (*x - mean) * scale;
                }
            }
            let output = normed.iter().copied().map(leaky).collect();
            hidden.push(Hidden {
                normed,
                scale,
                output,
            });
        }
        let input = hidden.last().map_or(samples, |hidden| &hidden.output);
        Pass {
            output: self.linear(self.statistics.len(), input),
            input: samples.to_vec(),
            hidden,
        }
    }

    /// The gradients of all weights, from that of the output.
    pub(super) fn gradients(&self, pass: &Pass, output: Vec<f64>) -> Vec<Vec<f64>> {
        let mut gradients = Vec::new();
        let mut back = output;
        for layer in (0..self.weights.len()).rev() {
            let [inputs, outputs] = [self.widths[layer], self.widths[layer + 1]];
            let back_rows = Matrix::rows(&back, outputs);
            let input = match layer.checked_sub(1) {
                Some(before) => &pass.hidden[before].output,
                None => &pass.input,
            };
            let mut gradient = vec![0.0; inputs * outputs];
            multiply(
                back_rows.transposed(),
                Matrix::rows(input, inputs),
                &mut gradient,
            );
            gradients.push(gradient);
            let Some(before) = layer.checked_sub(1) else {
                break;
            };
            let mut to_input = vec![0.0; input.len()];
            multiply(
                back_rows,
                Matrix::rows(&self.weights[layer], inputs),
                &mut to_input,
            );
            back = pass.hidden[before].back(to_input);
        }
        gradients.reverse();
        gradients
    }

    fn linear(&self, layer: usize, x: &[f64]) -> Vec<f64> {
        let [inputs, outputs] = [self.widths[layer], self.widths[layer + 1]];
        let mut y = vec![0.0; x.len() / inputs * outputs];
        let weights = Matrix::rows(&self.weights[layer], inputs);
        multiply(Matrix::rows(x, inputs), weights.transposed(), &mut y);
        y
    }
}

impl Hidden {
    /// From the gradient of the layer's output to that of what was normed.
    fn back(&self, mut gradient: Vec<f64>) -> Vec<f64> {
        let width = self.scale.len();
        let count = (gradient.len() / width) as f64;
        for (gradient, normed) in gradient.iter_mut().zip(&self.normed) {
            *gradient *= if *normed > 0.0 { 1.0 } else { LEAK };
        }
        let products: Vec<f64> = gradient
            .iter()
            .zip(&self.normed)
            .map(|(a, b)| a * b)
            .collect();
        let [plain, _] = column_sums(&gradient, width, |x| [x, 0.0]);
        let [along, _] = column_sums(&products, width, |x| [x, 0.0]);
        let rows = gradient.chunks_exact_mut(width);
        for (row, normed) in rows.zip(self.normed.chunks_exact(width)) {
            for (unit, (gradient, normed)) in row.iter_mut().zip(normed).enumerate() {
                let shared = (plain[unit] + along[unit] * *normed) / count;
                *gradient = (*gradient - shared) * self.scale[unit];
            }
        }
        gradient
    }
}

fn leaky(x: f64) -> f64 {
    if x > 0.0 { x } else { LEAK * x }
}

fn scale(variance: f64) -> f64 {
    (variance + EPSILON).sqrt().recip()
}

/// Sums over rows of two functions of every element.
fn column_sums(values: &[f64], width: usize, of: impl Fn(f64) -> [f64; 2]) -> [Vec<f64>; 2] {
    let [mut first, mut second] = [(); 2].map(|()| vec![0.0; width]);
    for row in values.chunks_exact(width) {
        for ((x, first), second) in row.iter().zip(&mut first).zip(&mut second) {
            let [a, b] = of(*x);
            *first += a;
            *second += b;
        }
    }
    [first, second]
}
