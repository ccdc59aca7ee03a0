//! Sums of squares.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::operands::{from_values, plain, primitive, slice};

/// Values that are added in single precision before double precision takes over. The sum does not depend on the threads.
const CHUNK: usize = 1024;
/// Partial sums of a chunk that do not wait for each other.
const LANES: usize = 16;

/// The sum of the squares of a covered tensor's values.
pub(crate) fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let x = primitive(x);
    let sums: Vec<f64> = slice(&x)
        .par_chunks(CHUNK)
        .with_min_len(64)
        .map(|chunk| f64::from(of_chunk(chunk)))
        .collect();
    plain(from_values(vec![sums.iter().sum::<f64>() as f32], [1]))
}

fn of_chunk(values: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (lanes, rest) = values.as_chunks::<LANES>();
    for values in lanes {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value * value;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>()
}
