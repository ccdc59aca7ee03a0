use burn::tensor::Tensor;
use burn::tensor::activation::{relu, softplus};

/// The discriminator's loss with energies (equations 8 and 11):
///
/// `sum_s mean D(F+) + (1 - gamma) mean h(D(F-)) + gamma mean h(D(F~))`, with `h(x) = max(0, margin - x)`,
///
/// where `F~` are the reconstructions of the normal and the anomalous images together. In `[0, inf)`.
///
/// Each term looks at images of its own, so that one can be computed, and its gradients, after another. Energies of scale `s`: `[images,
/// patches(s)]`.
#[derive(Debug, Clone, Copy)]
pub struct DiscriminatorEnergy {
    /// The energy from which on an image is anomalous enough.
    pub margin: f64,
    /// The weight of reconstructions among what is to have high energy.
    pub gamma: f64,
}

impl DiscriminatorEnergy {
    /// The term of normal images at every scale.
    pub fn normal(&self, energies: &[Tensor<2>]) -> Vec<Tensor<1>> {
        let mean = |energy: &Tensor<2>| energy.clone().mean();
        energies.iter().map(mean).collect()
    }

    /// The term of anomalous images at every scale.
    pub fn anomalous(&self, energies: &[Tensor<2>]) -> Vec<Tensor<1>> {
        self.hinge(energies, 1.0 - self.gamma)
    }

    /// The term of reconstructions at every scale.
    pub fn reconstructed(&self, energies: &[Tensor<2>]) -> Vec<Tensor<1>> {
        self.hinge(energies, self.gamma)
    }

    fn hinge(&self, energies: &[Tensor<2>], weight: f64) -> Vec<Tensor<1>> {
        let hinge = |energy: &Tensor<2>| {
            let missing = relu(energy.clone().neg() + self.margin);
            missing.mean() * weight
        };
        energies.iter().map(hinge).collect()
    }

    /// The loss of these terms, in their order, at all scales.
    ///
    /// # Panics
    /// If there are no terms or no scales, or terms of different scales.
    pub fn total(terms: &[Vec<Tensor<1>>]) -> Tensor<1> {
        let scales = terms.first().map_or(0, Vec::len);
        assert!(
            terms.iter().all(|term| term.len() == scales),
            "terms of the same scales"
        );
        sum((0..scales).map(|scale| sum(terms.iter().map(|term| term[scale].clone()))))
    }
}

/// The auto-encoder's adversarial loss with energies (equations 9 and 12): `sum_s mean D(F~)`, in `[0, inf)`. The other
/// terms of the equations have no gradient in the auto-encoder.
///
/// # Shapes
/// Energies of scale `s`: `[images, patches(s)]`.
///
/// # Panics
/// If there are no scales.
pub fn adversarial_energy(reconstructed: &[Tensor<2>]) -> Tensor<1> {
    sum(reconstructed.iter().map(|energy| energy.clone().mean()))
}

/// The discriminator's loss of a plain GAN (equation 7, negated because it is maximised):
/// `-mean log D(F+) - mean log(1 - D(F~))` with `D = sigmoid(score)`, in `[0, inf)`.
///
/// # Shapes
/// Scores: `[images, 1]`.
pub fn discriminator_log(normal: &Tensor<2>, reconstructed: &Tensor<2>) -> Tensor<1> {
    softplus(normal.clone().neg(), 1.0).mean() + softplus(reconstructed.clone(), 1.0).mean()
}

/// The auto-encoder's adversarial loss of a plain GAN (equation 7): `mean log(1 - D(F~))` with `D = sigmoid(score)`, in
/// `(-inf, 0]`.
///
/// # Shapes
/// Scores: `[images, 1]`.
pub fn adversarial_log(reconstructed: &Tensor<2>) -> Tensor<1> {
    softplus(reconstructed.clone(), 1.0).mean().neg()
}

fn sum(terms: impl Iterator<Item = Tensor<1>>) -> Tensor<1> {
    terms
        .reduce(|total, term| total + term)
        .unwrap_or_else(|| panic!("a loss needs at least one term and scale"))
}
