//! Logistic regression, solved to convergence.

use std::collections::VecDeque;

use rayon::prelude::*;

/// Samples that one task goes through: a fixed number, so that sums do not depend on how many threads there are.
const SAMPLES: usize = 64;
/// Steps that the curvature is estimated from.
const MEMORY: usize = 20;
/// The gradient is zero where it is so much smaller than at the start.
const CONVERGED: f64 = 1e-8;
/// Far more steps than any problem took.
const MOST_STEPS: usize = 5000;

/// Samples of two classes.
pub(super) struct Problem<'a> {
    /// Those of class 0, then those of class 1.
    pub(super) classes: [&'a [Vec<f32>]; 2],
    /// How much a sample's loss counts against the penalty, on average.
    pub(super) cost: f64,
}

/// A weight for every feature, and an offset: the log odds of class 1 are `weights x + offset`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    pub(super) offset: f64,
}

impl Problem<'_> {
    /// The minimum of `|weights|^2 / 2 + cost sum(s log(1 + exp(-y (weights x + offset))))`, with `y` 1 or -1 and both classes of the same
    /// sum of `s` (its mean is 1). It is the only one, found by L-BFGS.
    pub(super) fn solve(&self) -> Solution {
        let features = self.classes[0][0].len();
        // The offset is the last.
        let mut at = vec![0.0; features + 1];
        let (mut value, mut gradient) = self.loss(&at);
        let goal = CONVERGED * norm(&gradient);
        let mut steps: VecDeque<Step> = VecDeque::new();
        for _ in 0..MOST_STEPS {
            if norm(&gradient) <= goal {
                break;
            }
            let mut direction = descent(&gradient, &steps);
            let mut slope = dot(&gradient, &direction);
            if slope >= 0.0 {
                // Rounding has spoilt the curvature.
                steps.clear();
                direction = descent(&gradient, &steps);
                slope = dot(&gradient, &direction);
            }
            // The first step has no curvature to go by.
            let mut length = if steps.is_empty() {
                norm(&gradient).recip().min(1.0)
            } else {
                1.0
            };
            let next = loop {
                let there: Vec<f64> = at
                    .iter()
                    .zip(&direction)
                    .map(|(x, d)| x + length * d)
                    .collect();
                let (value_there, gradient_there) = self.loss(&there);
                if value_there <= value + 1e-4 * length * slope {
                    break Some((there, value_there, gradient_there));
                }
                length /= 2.0;
                if length < 1e-12 {
                    break None;
                }
            };
            // Nowhere is it lower by more than rounding: this is the minimum.
            let Some((there, value_there, gradient_there)) = next else {
                break;
            };
            let moved: Vec<f64> = there.iter().zip(&at).map(|(a, b)| a - b).collect();
            let turned: Vec<f64> = gradient_there
                .iter()
                .zip(&gradient)
                .map(|(a, b)| a - b)
                .collect();
            let curvature = dot(&moved, &turned);
            if curvature > 0.0 {
                steps.push_back(Step {
                    moved,
                    turned,
                    curvature,
                });
                if steps.len() > MEMORY {
                    steps.pop_front();
                }
            }
            (at, value, gradient) = (there, value_there, gradient_there);
        }
        let offset = at.pop().unwrap_or_default();
        Solution {
            weights: at,
            offset,
        }
    }

    /// What is minimised, and its gradient.
    fn loss(&self, at: &[f64]) -> (f64, Vec<f64>) {
        let (offset, weights) = at.split_last().unwrap_or((&0.0, &[]));
        let mut value = dot(weights, weights) / 2.0;
        let mut gradient = [weights, &[0.0]].concat();
        let all = (self.classes[0].len() + self.classes[1].len()) as f64;
        for (samples, sign) in self.classes.into_iter().zip([-1.0, 1.0]) {
            let scale = self.cost * all / (2.0 * samples.len() as f64);
            let parts: Vec<(f64, Vec<f64>)> = samples
                .par_chunks(SAMPLES)
                .map(|samples| {
                    let mut gradient = vec![0.0; at.len()];
                    let mut value = 0.0;
                    for sample in samples {
                        let margin = sign * (product(weights, sample) + offset);
                        // log(1 + exp(-margin)) and its derivative, without overflow.
                        let small = (-margin.abs()).exp();
                        value += small.ln_1p() + (-margin).max(0.0);
                        let share = if margin > 0.0 { small } else { 1.0 } / (1.0 + small);
                        let factor = -sign * share;
                        for (sum, x) in gradient.iter_mut().zip(sample) {
                            *sum += factor * f64::from(*x);
                        }
                        gradient[weights.len()] += factor;
                    }
                    (value, gradient)
                })
                .collect();
            for (part, part_gradient) in parts {
                value += scale * part;
                for (sum, part) in gradient.iter_mut().zip(part_gradient) {
                    *sum += scale * part;
                }
            }
        }
        (value, gradient)
    }
}

/// A step that was made: by how much, how the gradient changed, and the product of the two.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    curvature: f64,
}

/// Downhill, stretched by the curvature along the steps that were made (the two loops of L-BFGS).
fn descent(gradient: &[f64], steps: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|x| -x).collect();
    let mut shares = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        let share = dot(&step.moved, &direction) / step.curvature;
        add(&mut direction, -share, &step.turned);
        shares.push(share);
    }
    if let Some(last) = steps.back() {
        let scale = last.curvature / dot(&last.turned, &last.turned);
        direction.iter_mut().for_each(|x| *x *= scale);
    }
    for (step, share) in steps.iter().zip(shares.into_iter().rev()) {
        let turned = dot(&step.turned, &direction) / step.curvature;
        add(&mut direction, share - turned, &step.moved);
    }
    direction
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

fn norm(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    crate::linear_algebra::dot(a, b)
}

/// In lanes, so that the compiler may use vectors.
fn product(weights: &[f64], sample: &[f32]) -> f64 {
    let mut lanes = [0.0; 8];
    for (weights, sample) in weights.chunks(8).zip(sample.chunks(8)) {
        for ((lane, weight), x) in lanes.iter_mut().zip(weights).zip(sample) {
            *lane += weight * f64::from(*x);
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Two features, one of which tells the classes apart, and more samples than one task goes through.
    fn classes(counts: [usize; 2]) -> [Vec<Vec<f32>>; 2] {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut class = |count: usize, centre: f32| {
            let mut number = || random.random_range(-1.0..1.0_f32);
            (0..count)
                .map(|_| vec![centre + number(), number(), 3.0 * number()])
                .collect()
        };
        [class(counts[0], 0.0), class(counts[1], 1.2)]
    }

    /// There is one point alone where the gradient is zero.
    #[test]
    fn the_gradient_is_zero() {
        for (counts, cost) in [([150, 9], 0.1), ([5, 5], 1e4), ([1, 1], 1.0)] {
            let [normal, anomalous] = classes(counts);
            let problem = Problem {
                classes: [&normal, &anomalous],
                cost,
            };
            let Solution { weights, offset } = problem.solve();
            let mut gradient = [&weights[..], &[0.0]].concat();
            let mut size = 0.0_f64;
            for (class, target) in [(&normal, 0.0), (&anomalous, 1.0)] {
                let all = (normal.len() + anomalous.len()) as f64;
                let scale = cost * all / (2.0 * class.len() as f64);
                for sample in class {
                    let decision: f64 = weights
                        .iter()
                        .zip(sample)
                        .map(|(w, x)| w * f64::from(*x))
                        .sum();
                    let excess = 1.0 / (1.0 + (-decision - offset).exp()) - target;
                    for (sum, x) in gradient.iter_mut().zip(sample.iter().chain([&1.0])) {
                        *sum += scale * excess * f64::from(*x);
                        size = size.max(scale * f64::from(x.abs()) * 0.5);
                    }
                }
            }
            assert!(norm(&gradient) < 1e-6 * size, "{gradient:?} of {size}");
        }
    }

    /// However many of a class there are, both weigh the same.
    #[test]
    fn classes_are_balanced() {
        let [normal, anomalous] = classes([60, 20]);
        let solve = |normal: &[Vec<f32>], cost| {
            let classes = [normal, &anomalous[..]];
            Problem { classes, cost }.solve()
        };
        // The sum of all weights of samples is their number: 80, 140.
        let (once, twice) = (
            solve(&normal, 1.4),
            solve(&[&normal[..], &normal[..]].concat(), 0.8),
        );
        for (a, b) in once.weights.iter().zip(&twice.weights) {
            assert!((a - b).abs() < 1e-6, "{once:?} {twice:?}");
        }
        assert!(once.weights[0] > 1.0 && once.weights[1].abs() < 0.5);
    }
}
