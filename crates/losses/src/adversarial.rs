use burn::tensor::Tensor;
use burn::tensor::activation::{relu, softplus};

/// The discriminator's loss with energies (equations 8 and 11):
///
/// `sum_s mean D(F+) + (1 - gamma) mean h(D(F-)) + gamma mean h(D(F~))`, with `h(x) = max(0, margin - x)`,
///
/// where `F~` are the reconstructions of the normal and the anomalous images together. In
/// `[0, inf)`.
///
/// # Shapes
/// Energies of scale `s`: `[images, patches(s)]`.
///
/// # Panics
/// If there are no scales, or their numbers differ.
pub fn discriminator_energy(
    normal: &[Tensor<2>],
    anomalous: &[Tensor<2>],
    reconstructed: &[Tensor<2>],
    margin: f64,
    gamma: f64,
) -> Tensor<1> {
    assert!(
        normal.len() == anomalous.len() && normal.len() == reconstructed.len(),
        "energies of the same scales"
    );
    let hinge = |energy: &Tensor<2>| relu(energy.clone().neg() + margin).mean();
    let scales = normal.iter().zip(anomalous).zip(reconstructed);
    sum(scales.map(|((normal, anomalous), reconstructed)| {
        normal.clone().mean() + hinge(anomalous) * (1.0 - gamma) + hinge(reconstructed) * gamma
    }))
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

fn sum(scales: impl Iterator<Item = Tensor<1>>) -> Tensor<1> {
    scales
        .reduce(|total, scale| total + scale)
        .unwrap_or_else(|| panic!("a loss needs at least one scale"))
}
