//! What the networks learn to make small.

use burn::tensor::Tensor;
use ckaad_losses::reconstruction;

use super::Network;
use super::offset::{length, roughness};

/// The losses of a batch, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct Objective {
    /// One less the cosine of features and reconstruction as a whole, of every scale.
    pub levels: Vec<Tensor<1>>,
    /// The mean length of the deformations that images are deformed by.
    pub length: Tensor<1>,
    /// How rough all deformations are.
    pub roughness: Tensor<1>,
    /// The mean squared difference of images and what is brought back.
    pub back: Tensor<1>,
    /// How far features and codes are from each other.
    pub codes: Tensor<1>,
    /// Their weighted sum, which is made small.
    pub total: Tensor<1>,
}

impl Objective {
    /// Of images, which a frozen network turns into features; gradients pass through it. `weight` is that of the deformations' losses.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`
    pub fn new(
        network: &Network,
        encode: impl FnOnce(Tensor<4>) -> Vec<Tensor<4>>,
        images: Tensor<4>,
        weight: f64,
    ) -> Self {
        let offsets = network.offset.forward(images.clone());
        let deformed = offsets.deform(images.clone());
        let back = (offsets.bring_back(deformed.clone()) - images)
            .square()
            .mean();
        let features = encode(deformed);
        let output = network.reconstruct(&features);
        let scales = features.iter().zip(&output.features);
        let levels: Vec<Tensor<1>> = scales
            .map(|(a, b)| reconstruction(std::slice::from_ref(a), std::slice::from_ref(b)))
            .collect();
        let lengths = offsets.there.iter().map(|offset| length(offset).mean());
        let length = sum(lengths);
        let roughness = sum(offsets.all().map(roughness));
        let codes = output.quantised.loss;
        let deformation = length.clone() + roughness.clone() + back.clone();
        let total = sum(levels.iter().cloned()) + deformation * weight + codes.clone();
        Self {
            levels,
            length,
            roughness,
            back,
            codes,
            total,
        }
    }

    /// The same without their gradients.
    pub(super) fn inner(self) -> Self {
        Self {
            levels: self.levels.into_iter().map(Tensor::inner).collect(),
            length: self.length.inner(),
            roughness: self.roughness.inner(),
            back: self.back.inner(),
            codes: self.codes.inner(),
            total: self.total.inner(),
        }
    }
}

fn sum(losses: impl Iterator<Item = Tensor<1>>) -> Tensor<1> {
    losses
        .reduce(|sum, loss| sum + loss)
        .unwrap_or_else(|| panic!("there is at least one loss"))
}
