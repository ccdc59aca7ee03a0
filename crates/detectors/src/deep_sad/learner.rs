use super::Encoder;
use crate::descent::Adam;

const WEIGHT_DECAY: f64 = 0.5e-6;
/// Added to distances of labelled samples, which may be divided by.
const EPSILON: f64 = 1e-6;
/// No component of a centre is nearer to zero: what is zero there could be had without looking at the features.
const LEAST: f64 = 0.1;

/// What is known of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Nothing, so that it is most likely normal.
    Unlabelled,
    /// That it is normal.
    Normal,
    /// That it is anomalous.
    Anomalous,
}

/// An encoder that learns to bring normal samples near a fixed centre, and anomalous ones far from it.
#[derive(Debug, Clone)]
pub struct Learner {
    /// What learns.
    pub encoder: Encoder,
    /// What it brings samples to.
    pub centre: Vec<f64>,
    /// What labelled samples weigh against others.
    eta: f64,
    adam: Adam,
}

/// What a step computed.
#[derive(Debug, Clone)]
pub struct Step {
    /// Of every sample; their mean is what the step made smaller.
    pub losses: Vec<f64>,
    /// Of the weights of every layer, without their decay.
    pub gradients: Vec<Vec<f64>>,
}

impl Learner {
    /// The centre is the mean of what `encoder` makes of `samples`, its components moved away from zero to 0.1 at least.
    ///
    /// # Shapes
    /// `samples`: `[samples, first width]`, row-major.
    pub fn new(encoder: Encoder, samples: &[f64], eta: f64) -> Self {
        let points = encoder.forward(samples);
        let width = encoder.widths.last().copied().unwrap_or(1);
        let count = (points.len() / width) as f64;
        let component = |index: usize| {
            let column = points[index..].iter().step_by(width);
            let mean = column.sum::<f64>() / count;
            mean.abs().max(LEAST).copysign(mean)
        };
        Self {
            centre: (0..width).map(component).collect(),
            adam: Adam::new(WEIGHT_DECAY, encoder.weights.iter().map(Vec::len)),
            encoder,
            eta,
        }
    }

    /// One step on a batch: distances from the centre of samples without a label, and of labelled ones themselves or, of anomalous ones,
    /// one over them.
    ///
    /// # Shapes
    /// `samples`: `[labels, first width]`, row-major.
    pub fn step(&mut self, samples: &[f64], labels: &[Label], rate: f64) -> Step {
        let pass = self.encoder.train(samples);
        let mut gradient = pass.output.clone();
        let rows = gradient.chunks_exact_mut(self.centre.len()).zip(labels);
        let losses = rows.map(|(row, label)| {
            let distance = squared_distance(row, &self.centre);
            let shifted = distance + EPSILON;
            let (loss, slope) = match label {
                Label::Unlabelled => (distance, 1.0),
                Label::Normal => (self.eta * shifted, self.eta),
                Label::Anomalous => (self.eta / shifted, -self.eta / (shifted * shifted)),
            };
            let share = 2.0 * slope / labels.len() as f64;
            for (x, centre) in row.iter_mut().zip(&self.centre) {
                *x = share * (*x - centre);
            }
            loss
        });
        let losses = losses.collect();
        let gradients = self.encoder.gradients(&pass, gradient);
        let weights = self.encoder.weights.iter_mut().map(Vec::as_mut_slice);
        self.adam
            .step(rate, weights.zip(gradients.iter().map(Vec::as_slice)));
        Step { losses, gradients }
    }
}

/// The square of the distance of two points.
pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}
