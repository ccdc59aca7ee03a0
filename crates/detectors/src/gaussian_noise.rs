//! Standard normal numbers, drawn by seed and step.

use std::f64::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A tensor of standard normal numbers that follow from `seed` and `step` alone.
pub(crate) fn standard_normal<const D: usize>(
    [seed, step]: [u64; 2],
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(step);
    let count: usize = shape.iter().product();
    let mut values = Vec::with_capacity(count + 1);
    // Box and Muller's pairs.
    while values.len() < count {
        let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
        let (sin, cos) = (TAU * random.random::<f64>()).sin_cos();
        values.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    values.truncate(count);
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    #[test]
    fn numbers_follow_from_seed_and_step_and_are_standard_normal() {
        let device = ckaad_device::cpu();
        let draw = |at| values(standard_normal(at, [3, 3001], &device));
        let first = draw([1, 2]);
        assert_eq!(first, draw([1, 2]));
        assert!(first != draw([2, 2]) && first != draw([1, 3]));
        let count = first.len() as f32;
        let mean = first.iter().sum::<f32>() / count;
        let square = first.iter().map(|x| x * x).sum::<f32>() / count;
        assert!(
            mean.abs() < 0.04 && (square - 1.0).abs() < 0.06,
            "{mean}, {square}"
        );
    }
}
