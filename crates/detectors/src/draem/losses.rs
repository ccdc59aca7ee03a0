//! What the networks learn to make small.

use burn::tensor::{Tensor, activation::softmax};

use crate::planes::Border;
use crate::ssim::similarity;

/// How strongly pixels that are told right already are overlooked.
const FOCUS: i32 = 2;
/// What truth is kept off 0 and 1 by, and added to probabilities.
const SMOOTH: f64 = 1e-5;
/// Range of brightness.
const RANGE: f64 = 1.0;

/// The losses of a batch, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct Objective {
    /// Mean squared error of the rebuilt images.
    pub mse: Tensor<1>,
    /// One less the structural similarity of the rebuilt images.
    pub ssim: Tensor<1>,
    /// The focal loss of the pixels' classes.
    pub focal: Tensor<1>,
    /// Their sum, which is made small.
    pub total: Tensor<1>,
}

impl Objective {
    /// Of rebuilt images and logits, as [`Network::forward`](super::Network::forward) gives them, against clean images and masks.
    ///
    /// # Shapes
    /// - rebuilt, clean: `[batch, 3, side, side]`
    /// - logits: `[batch, 2, side, side]`; masks: `[batch, 1, side, side]`, 1 where an anomaly was drawn
    pub fn new(rebuilt: Tensor<4>, logits: Tensor<4>, clean: Tensor<4>, masks: Tensor<4>) -> Self {
        let ssim = similarity(&rebuilt, &clean, RANGE, Border::Zeros)
            .mean()
            .neg()
            + 1.0;
        let mse = (rebuilt - clean).square().mean();
        let focal = focal(softmax(logits, 1), masks);
        Self {
            total: mse.clone() + ssim.clone() + focal.clone(),
            mse,
            ssim,
            focal,
        }
    }

    /// The same without their gradients.
    pub(super) fn inner(self) -> Self {
        Self {
            mse: self.mse.inner(),
            ssim: self.ssim.inner(),
            focal: self.focal.inner(),
            total: self.total.inner(),
        }
    }
}

/// The mean of `-(1 - p)^2 ln p`, p the probability given to the truth (Lin et al. 2017).
fn focal(probabilities: Tensor<4>, masks: Tensor<4>) -> Tensor<1> {
    let truth = Tensor::cat(vec![masks.clone().neg() + 1.0, masks], 1);
    let truth = truth.clamp(SMOOTH, 1.0 - SMOOTH);
    let p = (truth * probabilities).sum_dim(1) + SMOOTH;
    ((p.clone().neg() + 1.0).powi_scalar(FOCUS) * p.log())
        .mean()
        .neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    #[test]
    fn the_focal_loss_of_two_pixels() {
        let device = ckaad_device::cpu();
        let pixels = |values: [[f32; 2]; 1]| Tensor::<2>::from_floats(values, &device);
        let anomalous = pixels([[0.25, 0.9]]).reshape([1, 1, 1, 2]);
        let normal = anomalous.clone().neg() + 1.0;
        let masks = pixels([[0.0, 1.0]]).reshape([1, 1, 1, 2]);
        let loss = values(focal(Tensor::cat(vec![normal, anomalous], 1), masks))[0];
        // Truth has 3/4 and 9/10: (1/16 ln(4/3) + 1/100 ln(10/9)) / 2.
        assert!((loss - 0.009_517).abs() < 2e-5, "{loss}");
    }
}
