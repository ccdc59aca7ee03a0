use burn::tensor::Tensor;

/// The square of the smallest norm that a feature vector is divided by.
const SMALLEST_NORM_SQUARED: f32 = 1e-16;

/// The reconstruction loss (equation 2): the mean over images of the sum over scales of
/// `1 - cos(flatten F, flatten F~)`, in `[0, 2 * scales]`.
///
/// # Shapes
/// `features[s]` and `reconstructions[s]`: `[batch, channels(s), height(s), width(s)]`.
///
/// # Panics
/// If there are no scales, not as many features as reconstructions, or their shapes differ.
pub fn reconstruction(features: &[Tensor<4>], reconstructions: &[Tensor<4>]) -> Tensor<1> {
    assert_eq!(
        features.len(),
        reconstructions.len(),
        "one reconstruction per scale"
    );
    features
        .iter()
        .zip(reconstructions)
        .map(|(feature, reconstruction)| {
            let a: Tensor<2> = feature.clone().flatten(1, 3);
            let b: Tensor<2> = reconstruction.clone().flatten(1, 3);
            let norm = |x: Tensor<2>| {
                x.square()
                    .sum_dim(1)
                    .clamp_min(SMALLEST_NORM_SQUARED)
                    .sqrt()
            };
            let cosine = (a.clone() * b.clone()).sum_dim(1) / (norm(a) * norm(b));
            cosine.mean().neg() + 1.0
        })
        .reduce(|total, scale| total + scale)
        .unwrap_or_else(|| panic!("a loss needs at least one scale"))
}
