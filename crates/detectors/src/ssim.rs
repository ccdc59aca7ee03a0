//! How alike the structures of two images are (Wang et al. 2004).

use burn::tensor::Tensor;

use crate::planes::{Border, windowed};

/// Side and standard deviation of the Gaussian window.
const SIDE: usize = 11;
const DEVIATION: f64 = 1.5;

/// The structural similarity at every pixel and channel, at most 1; `range` is that of the pixels' values.
///
/// # Shapes
/// - a, b: `[batch, channels, height, width]`; the output is as large, or smaller where windows stay inside.
pub(crate) fn similarity(a: &Tensor<4>, b: &Tensor<4>, range: f64, border: Border) -> Tensor<4> {
    let middle = (SIDE / 2) as f64;
    let density = |tap: usize| (-0.5 * ((tap as f64 - middle) / DEVIATION).powi(2)).exp();
    let sum: f64 = (0..SIDE).map(density).sum();
    let taps: Vec<f64> = (0..SIDE).map(|tap| density(tap) / sum).collect();
    let mean = |x: Tensor<4>| windowed(x, &taps, border);
    let [mean_a, mean_b] = [a, b].map(|x| mean(x.clone()));
    let variance_a = mean(a.clone().square()) - mean_a.clone().square();
    let variance_b = mean(b.clone().square()) - mean_b.clone().square();
    let both = mean_a.clone() * mean_b.clone();
    let covariance = mean(a.clone() * b.clone()) - both.clone();
    let [small_1, small_2] = [0.01, 0.03].map(|share: f64| (share * range).powi(2));
    let above = (both * 2.0 + small_1) * (covariance * 2.0 + small_2);
    let below = (mean_a.square() + mean_b.square() + small_1) * (variance_a + variance_b + small_2);
    above / below
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::pooling::values;

    #[test]
    fn images_are_like_themselves_and_constants_have_a_known_similarity() {
        let device = ckaad_device::cpu();
        let x = Tensor::<4>::random([1, 2, 16, 12], Distribution::Uniform(0.0, 1.0), &device);
        let same = values(similarity(&x, &x, 1.0, Border::Zeros));
        assert!(same.len() == 2 * 16 * 12 && same.iter().all(|s| (s - 1.0).abs() < 1e-3));
        let [a, b] = [0.2, 0.6].map(|value| Tensor::<4>::full([1, 1, 11, 11], value, &device));
        let found = values(similarity(&a, &b, 1.0, Border::Inside));
        // (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4)
        assert!(
            found.len() == 1 && (found[0] - 0.600_1).abs() < 1e-4,
            "{found:?}"
        );
    }
}
