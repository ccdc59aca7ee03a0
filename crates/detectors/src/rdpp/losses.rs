//! What the networks learn to make small.

use burn::tensor::{Tensor, activation::relu};
use ckaad_losses::reconstruction;
use ckaad_ops::normalise_channels;

use super::Network;

/// Weight of the projections' distances.
const RECONSTRUCT: f64 = 0.01;
/// Weight of the cosines that are too large.
const CONTRAST: f64 = 0.1;
/// What the losses of projections are divided by: the sum of all weights, with the 1 of the optimal-transport term that is always zero.
const WEIGHTS: f64 = 1.0 + RECONSTRUCT + CONTRAST;
/// The largest cosine that costs nothing.
const MARGIN: f64 = 0.5;
/// Added to the squares of norms.
const EPSILON: f64 = 1e-12;

/// The losses of a batch, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct Objective {
    /// The reconstruction loss of the student.
    pub distill: Tensor<1>,
    /// How far projections of images with noise are from those of the images.
    pub reconstruct: Tensor<1>,
    /// How similar features of images with noise are to projections of the images.
    pub contrast: Tensor<1>,
    /// Both losses of the projections, weighed.
    pub projection: Tensor<1>,
    /// What is made small.
    pub total: Tensor<1>,
}

impl Objective {
    /// Of the features of normal images and of the same images with noise; `weight` is that of the projections' loss.
    ///
    /// # Shapes
    /// As [`Network::project`].
    pub fn new(network: &Network, normal: &[Tensor<4>], noised: &[Tensor<4>], weight: f64) -> Self {
        let projected = network.project(normal);
        let reconstruct = distance(&network.project(noised), &projected);
        let contrast = contrast(noised, &projected);
        let projection =
            (reconstruct.clone() * RECONSTRUCT + contrast.clone() * CONTRAST) / WEIGHTS;
        let distill = reconstruction(normal, &network.reconstruct(&projected));
        Self {
            total: distill.clone() + projection.clone() * weight,
            distill,
            reconstruct,
            contrast,
            projection,
        }
    }

    /// The same without their gradients.
    pub(super) fn inner(self) -> Self {
        Self {
            distill: self.distill.inner(),
            reconstruct: self.reconstruct.inner(),
            contrast: self.contrast.inner(),
            projection: self.projection.inner(),
            total: self.total.inner(),
        }
    }
}

/// The sum over scales of the mean of `1 - cos` of the channels at every position.
fn distance(a: &[Tensor<4>], b: &[Tensor<4>]) -> Tensor<1> {
    sum(a.iter().zip(b).map(|(a, b)| {
        let cosines = normalise_channels(a.clone()) * normalise_channels(b.clone());
        cosines.sum_dim(1).mean().neg() + 1.0
    }))
}

/// The sum over scales of the mean over images of what the cosine of whole maps exceeds the margin of 0.5 by.
///
/// # Shapes
/// `noised[s]` and `projected[s]`: `[batch, channels(s), height(s), width(s)]`.
pub fn contrast(noised: &[Tensor<4>], projected: &[Tensor<4>]) -> Tensor<1> {
    sum(noised.iter().zip(projected).map(|(a, b)| {
        let [a, b] = [a, b].map(|maps| maps.clone().flatten::<2>(1, 3));
        let squares = |x: Tensor<2>| x.square().sum_dim(1) + EPSILON;
        let cosine = (a.clone() * b.clone()).sum_dim(1) / (squares(a) * squares(b)).sqrt();
        relu(cosine - MARGIN).mean()
    }))
}

fn sum(losses: impl Iterator<Item = Tensor<1>>) -> Tensor<1> {
    losses
        .reduce(|total, scale| total + scale)
        .unwrap_or_else(|| panic!("a loss needs at least one scale"))
}
