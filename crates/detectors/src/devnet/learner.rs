use rayon::prelude::*;

use super::Head;
use crate::descent::{Adam, clip};
use crate::deviation::{Reference, top_tenth};

const WEIGHT_DECAY: f64 = 1e-5;
/// The largest norm of a gradient.
const CLIP: f64 = 1.0;

/// An image to learn from.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// Of every scale `[channels, positions]`.
    pub scales: Vec<&'a [f32]>,
    /// Whether it is known to be anomalous.
    pub anomalous: bool,
}

/// Heads that learn to score anomalous images many deviations above what is usual, and normal ones as what is usual.
#[derive(Debug, Clone)]
pub struct Learner {
    /// What learns.
    pub heads: Vec<Head>,
    /// Which of them scores each scale.
    head_of: Vec<usize>,
    adam: Adam,
}

/// What a step computed.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it made smaller.
    pub loss: f64,
    /// Of every image.
    pub scores: Vec<f64>,
    /// Of every head, before clipping, without the decay of weights.
    pub gradients: Vec<Head>,
}

impl Learner {
    /// `head_of` says which head scores each scale.
    pub fn new(heads: Vec<Head>, head_of: Vec<usize>) -> Self {
        let lengths = heads.iter().flat_map(|head| [head.weights.len(), 1]);
        Self {
            adam: Adam::new(WEIGHT_DECAY, lengths),
            heads,
            head_of,
        }
    }

    /// One step: the mean over images of the deviation of their scores, of normal ones from what is usual, of anomalous ones from five deviations
    /// above, if they are below that.
    pub fn step(&mut self, images: &[Image<'_>], reference: Reference, rate: f64) -> Step {
        let scored: Vec<(f64, Vec<Head>)> =
            images.par_iter().map(|image| self.score(image)).collect();
        let share = (images.len() as f64).recip();
        let mut loss = 0.0;
        let mut gradients: Vec<Head> = self.heads.iter().map(Head::zero).collect();
        for (image, (score, slopes)) in images.iter().zip(&scored) {
            let [value, slope] = reference.loss(*score, image.anomalous);
            loss += share * value;
            for (gradient, slopes) in gradients.iter_mut().zip(slopes) {
                gradient.add(share * slope, slopes);
            }
        }
        let square: f64 = gradients.iter().map(Head::square).sum();
        let factor = clip(square, CLIP);
        let mut clipped: Vec<Head> = self.heads.iter().map(Head::zero).collect();
        for (clipped, gradient) in clipped.iter_mut().zip(&gradients) {
            clipped.add(factor, gradient);
        }
        let parameters = self
            .heads
            .iter_mut()
            .zip(&clipped)
            .flat_map(|(head, gradient)| {
                [
                    (head.weights.as_mut_slice(), gradient.weights.as_slice()),
                    (
                        std::slice::from_mut(&mut head.bias),
                        std::slice::from_ref(&gradient.bias),
                    ),
                ]
            });
        self.adam.step(rate, parameters);
        Step {
            loss,
            scores: scored.into_iter().map(|(score, _)| score).collect(),
            gradients,
        }
    }

    /// An image's score, and how it changes with all heads.
    fn score(&self, image: &Image<'_>) -> (f64, Vec<Head>) {
        let mut slopes: Vec<Head> = self.heads.iter().map(Head::zero).collect();
        let mut score = 0.0;
        for (features, &head) in image.scales.iter().zip(&self.head_of) {
            let scores = self.heads[head].scores(features);
            let (mean, positions) = top_tenth(&scores);
            score += mean / image.scales.len() as f64;
            let share = 1.0 / (positions.len() * image.scales.len()) as f64;
            for position in positions {
                let sign = share * scores[position].signum();
                let channels = features[position..].iter().step_by(scores.len());
                for (slope, x) in slopes[head].weights.iter_mut().zip(channels) {
                    *slope += sign * f64::from(*x);
                }
                slopes[head].bias += sign;
            }
        }
        (score, slopes)
    }
}

impl Head {
    /// As many zeros.
    fn zero(&self) -> Self {
        Self {
            weights: vec![0.0; self.weights.len()],
            bias: 0.0,
        }
    }

    fn add(&mut self, factor: f64, other: &Self) {
        for (sum, x) in self.weights.iter_mut().zip(&other.weights) {
            *sum += factor * x;
        }
        self.bias += factor * other.bias;
    }

    fn square(&self) -> f64 {
        self.weights.iter().map(|x| x * x).sum::<f64>() + self.bias * self.bias
    }
}
