use super::Network;
use crate::descent::{RmsProp, clip_exactly};
use crate::matrix::{Matrix, multiply};

/// What the squares of the shared layer's weights weigh.
const PENALTY: f64 = 0.01;
/// The largest norm of a gradient.
const CLIP: f64 = 1.0;

/// Two images to learn from, by their pooled features.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Normal if either is.
    pub first: &'a [f32],
    /// Anomalous if either is.
    pub second: &'a [f32],
    /// How many of them are.
    pub anomalous: usize,
}

/// What the scores of pairs should be, by how many of the two are anomalous.
const TARGETS: [f64; 3] = [0.0, 4.0, 8.0];

/// A network that learns to tell how many images of a pair are anomalous.
#[derive(Debug, Clone)]
pub struct Learner {
    /// What learns.
    pub network: Network,
    rule: RmsProp,
}

/// What a step computed.
#[derive(Debug, Clone)]
pub struct Step {
    /// The mean distance of scores from what they should be.
    pub absolute: f64,
    /// The penalty of large weights. The step made the sum of both smaller.
    pub penalty: f64,
    /// Of every pair.
    pub scores: Vec<f64>,
    /// Of every layer, before clipping.
    pub gradients: Network,
}

impl Learner {
    /// That has learned nothing yet.
    pub fn new(network: Network) -> Self {
        let lengths = network.layers().map(<[f64]>::len);
        Self {
            network,
            rule: RmsProp::new(lengths),
        }
    }

    /// One step on a batch of pairs.
    pub fn step(&mut self, pairs: &[Pair<'_>], rate: f64) -> Step {
        let network = &self.network;
        let (units, features) = (network.units(), network.features());
        let first = pairs.iter().map(|pair| pair.first);
        let samples: Vec<f64> = first
            .chain(pairs.iter().map(|pair| pair.second))
            .flat_map(|sample| sample.iter().copied().map(f64::from))
            .collect();
        let shared = network.shared(&samples);
        let (firsts, seconds) = shared.split_at(pairs.len() * units);
        let joined = || firsts.chunks_exact(units).zip(seconds.chunks_exact(units));
        let scores = joined().map(|(first, second)| network.pair_score(first, second));
        let scores: Vec<f64> = scores.collect();

        let share = (pairs.len() as f64).recip();
        let mut gradients = network.zero();
        let mut absolute = 0.0;
        let mut back = vec![0.0; shared.len()];
        let (back_first, back_second) = back.split_at_mut(pairs.len() * units);
        let backs = back_first
            .chunks_exact_mut(units)
            .zip(back_second.chunks_exact_mut(units));
        for ((pair, score), (joined, backs)) in pairs.iter().zip(&scores).zip(joined().zip(backs)) {
            let off = score - TARGETS[pair.anomalous];
            absolute += share * off.abs();
            let slope = share * off.signum();
            gradients.score_bias += slope;
            let shared = joined.0.iter().chain(joined.1);
            let back = backs.0.iter_mut().chain(backs.1);
            let layer = network.score.iter().zip(&mut gradients.score);
            for ((unit, back), (weight, gradient)) in shared.zip(back).zip(layer) {
                *gradient += slope * unit;
                *back = if *unit > 0.0 { slope * weight } else { 0.0 };
            }
        }
        for row in back.chunks_exact(units) {
            for (gradient, back) in gradients.hidden_bias.iter_mut().zip(row) {
                *gradient += back;
            }
        }
        let back = Matrix::rows(&back, units).transposed();
        multiply(
            back,
            Matrix::rows(&samples, features),
            &mut gradients.hidden,
        );
        let mut penalty = 0.0;
        for (gradient, weight) in gradients.hidden.iter_mut().zip(&network.hidden) {
            penalty += PENALTY * weight * weight;
            *gradient += 2.0 * PENALTY * weight;
        }

        let mut clipped = gradients.clone();
        let squares = clipped.layers().into_iter().flatten().map(|x| x * x);
        let factor = clip_exactly(squares.sum(), CLIP);
        for x in clipped.layers_mut().into_iter().flatten() {
            *x *= factor;
        }
        let layers = self.network.layers_mut().into_iter().zip(clipped.layers());
        self.rule.step(rate, layers);
        Step {
            absolute,
            penalty,
            scores,
            gradients,
        }
    }
}
