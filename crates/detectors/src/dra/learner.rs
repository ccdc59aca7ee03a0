use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Tensor, TensorData};

use super::Heads;
use crate::adam::{Decay, Rule};
use crate::deviation::{Reference, image_score, top_tenth};
use crate::gradients::{clip, global_norm};

const ADAM: Rule = Rule::new(0.9, 0.999).with_decay(Decay::Gradient(1e-5));
/// The largest norm of a gradient.
const CLIP: f32 = 1.0;

/// What is known of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// That it is normal.
    Normal,
    /// That it is anomalous.
    Anomalous,
    /// That it is a normal one that was made anomalous.
    Pseudo,
}

impl Label {
    /// Whether the heads learn from such an image: holistic, seen, pseudo, residual.
    fn taught(self) -> [bool; 4] {
        [true, self != Self::Pseudo, self != Self::Anomalous, true]
    }

    /// Whether the heads' scores should deviate from what is usual.
    fn deviates(self) -> [bool; 4] {
        let normal = self == Self::Normal;
        [normal, !normal, !normal, !normal]
    }
}

/// Heads that learn, on a device with autodiff.
pub struct Learner {
    /// What learns.
    pub heads: Vec<Heads>,
    /// Which of them scores each scale.
    head_of: Vec<usize>,
    optimizer: ModuleOptimizer,
}

/// What a batch says of the heads holistic, seen, pseudo, residual.
#[derive(Debug)]
pub struct Step {
    /// Their sum is to become smaller.
    pub losses: [f64; 4],
    /// Of every image that the head learns from.
    pub scores: [Vec<f64>; 4],
    /// Of their sum.
    pub gradients: GradientsParams,
}

/// The position scores of images: of every scale, of every head `[images][positions]`.
pub struct Scores(pub Vec<[Vec<Vec<f64>>; 4]>);

impl Scores {
    /// From those of [`position_scores`].
    pub fn of(scales: &[[Tensor<2>; 4]]) -> Self {
        let rows = |scores: &Tensor<2>| {
            let [_, positions] = scores.dims();
            let values: Vec<f64> = scores.clone().into_data().iter::<f64>().collect();
            values
                .chunks_exact(positions)
                .map(<[f64]>::to_vec)
                .collect()
        };
        Self(
            scales
                .iter()
                .map(|heads| heads.each_ref().map(rows))
                .collect(),
        )
    }

    /// The scores that a head gives an image.
    pub fn head(&self, image: usize, head: usize) -> f64 {
        let scales = self.0.iter().map(|heads| heads[head][image].clone());
        image_score(&scales.collect::<Vec<_>>())
    }

    /// The score of an image: those of the last three heads, less that of the holistic one, which is high for normal images.
    pub fn image(&self, image: usize) -> f64 {
        let [holistic, seen, pseudo, residual] = [0, 1, 2, 3].map(|head| self.head(image, head));
        seen + pseudo + residual - holistic
    }
}

impl Learner {
    /// `head_of` says which heads score each scale.
    pub fn new(heads: Vec<Heads>, head_of: Vec<usize>) -> Self {
        Self {
            heads,
            head_of,
            optimizer: ADAM.optimizer(),
        }
    }

    /// For every head the mean over images of the deviation of their scores, from what is usual or from five deviations above.
    ///
    /// # Shapes
    /// `features[s]`: `[labels, channels(s), height(s), width(s)]`, `references[s]`: one image of those; both without gradients.
    pub fn look(
        &self,
        features: &[Tensor<4>],
        references: &[Tensor<4>],
        labels: &[Label],
        usual: &[Reference; 4],
    ) -> Step {
        let positions = position_scores(&self.heads, &self.head_of, features, references);
        let scores = Scores::of(&positions);
        let mut slopes = vec![[0.0; 4]; labels.len()];
        let mut losses = [0.0; 4];
        let of_heads = [0, 1, 2, 3].map(|head| {
            let taught = labels.iter().filter(|label| label.taught()[head]).count();
            let share = (taught as f64).recip();
            let images = labels.iter().zip(&mut slopes).enumerate();
            let taught = images.filter(|(_, (label, _))| label.taught()[head]);
            let of_image = |(image, (label, slopes)): (usize, (&Label, &mut [f64; 4]))| {
                let score = scores.head(image, head);
                let [loss, slope] = usual[head].loss(score, label.deviates()[head]);
                losses[head] += share * loss;
                slopes[head] = share * slope;
                score
            };
            taught.map(of_image).collect()
        });
        let loss = linearised(&positions, &scores, &slopes);
        let gradients = loss.backward();
        let mut gradients = GradientsParams::from_grads(gradients, &self.heads);
        for heads in &self.heads {
            // The norm takes away what this bias adds: its gradient is rounding, which Adam would turn into whole steps.
            if let Some(bias) = &heads.residual.bias
                && let Some(rounding) = gradients.remove::<1>(bias.id)
            {
                gradients.register(bias.id, rounding.zeros_like());
            }
        }
        Step {
            losses,
            scores: of_heads,
            gradients,
        }
    }

    /// Moves all heads against their gradients.
    pub fn update(&mut self, gradients: GradientsParams, rate: f64) {
        let norm = global_norm(&self.heads, &gradients);
        let clipped = clip(&self.heads, gradients, norm, CLIP);
        self.heads = self.optimizer.step(rate, self.heads.clone(), clipped);
    }
}

/// [`Heads::scores`] of every scale.
pub fn position_scores(
    heads: &[Heads],
    head_of: &[usize],
    features: &[Tensor<4>],
    references: &[Tensor<4>],
) -> Vec<[Tensor<2>; 4]> {
    let scales = features.iter().zip(references).zip(head_of);
    scales
        .map(|((features, reference), &of)| heads[of].scores(features.clone(), reference.clone()))
        .collect()
}

/// What has the gradient of the losses whose slopes by image and head are given: an image's score is linear in the scores of the positions
/// that are farthest from zero.
fn linearised(positions: &[[Tensor<2>; 4]], scores: &Scores, slopes: &[[f64; 4]]) -> Tensor<1> {
    let terms = positions
        .iter()
        .zip(&scores.0)
        .flat_map(|(tensors, scale)| {
            tensors
                .iter()
                .zip(scale)
                .enumerate()
                .map(|(head, (tensor, scores))| {
                    let mut factors = vec![0.0_f32; tensor.dims().iter().product()];
                    let rows = factors.chunks_exact_mut(tensor.dims()[1]);
                    for ((factors, scores), slopes) in rows.zip(scores).zip(slopes) {
                        let (_, top) = top_tenth(scores);
                        let share = slopes[head] / (top.len() * positions.len()) as f64;
                        for position in top {
                            factors[position] = (share * scores[position].signum()) as f32;
                        }
                    }
                    let factors = TensorData::new(factors, tensor.dims());
                    (tensor.clone() * Tensor::from_data(factors, &tensor.device())).sum()
                })
        });
    let sum = terms.reduce(|sum, term| sum + term);
    sum.unwrap_or_else(|| panic!("there is a scale"))
}
