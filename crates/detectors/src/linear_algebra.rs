//! The little dense linear algebra that Gaussian models need, in double precision.

use rayon::prelude::*;

/// The dot product of two vectors of one length.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A symmetric positive definite matrix as `L L^T`: overwrites it, row-major `n` x `n`, by the lower triangle `L`, zeros
/// above. `None` if it is not positive definite.
pub(crate) fn cholesky(mut matrix: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    for row in 0..n {
        let (above, rest) = matrix.split_at_mut(row * n);
        let this = &mut rest[..n];
        for column in 0..row {
            let other = &above[column * n..][..n];
            this[column] = (this[column] - dot(&this[..column], &other[..column])) / other[column];
        }
        let square = this[row] - dot(&this[..row], &this[..row]);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        this[row] = square.sqrt();
        this[row + 1..].fill(0.0);
    }
    Some(matrix)
}

/// The squared norm of `L^-1 x`, for the lower triangle `L` of a [`cholesky`] factor: the squared Mahalanobis distance of `x`.
pub(crate) fn squared_distance(lower: &[f64], x: &[f64]) -> f64 {
    let n = x.len();
    let mut solved = Vec::with_capacity(n);
    for (row, &value) in lower.chunks_exact(n).zip(x) {
        let done = solved.len();
        solved.push((value - dot(&row[..done], &solved)) / row[done]);
    }
    dot(&solved, &solved)
}

/// Mean and covariance of samples, shrunk towards a multiple of the identity by Ledoit and Wolf's estimate (2004, "A
/// well-conditioned estimator for large-dimensional covariance matrices"): well-conditioned however few samples there are.
///
/// # Shapes
/// `samples[n]`: `[d]` each; the mean is `[d]`, the covariance `[d, d]`, row-major.
///
/// # Panics
/// If there is no sample.
pub(crate) fn ledoit_wolf(samples: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let (n, d) = (samples.len(), samples[0].len());
    let count = n as f64;
    let mean: Vec<f64> = (0..d)
        .map(|index| samples.iter().map(|sample| sample[index]).sum::<f64>() / count)
        .collect();
    // One row per dimension, so that every product runs over neighbours in memory.
    let centred: Vec<Vec<f64>> = (0..d)
        .map(|index| {
            samples
                .iter()
                .map(|sample| sample[index] - mean[index])
                .collect()
        })
        .collect();
    let mut covariance = vec![0.0; d * d];
    covariance
        .par_chunks_exact_mut(d)
        .zip(&centred)
        .for_each(|(row, a)| {
            for (value, b) in row.iter_mut().zip(&centred) {
                *value = dot(a, b) / count;
            }
        });
    let dimensions = d as f64;
    let scale = (0..d)
        .map(|index| covariance[index * d + index])
        .sum::<f64>()
        / dimensions;
    let squares = dot(&covariance, &covariance);
    let fourth: f64 = (0..n)
        .map(|sample| {
            centred
                .iter()
                .map(|row| row[sample] * row[sample])
                .sum::<f64>()
        })
        .map(|length| length * length)
        .sum();
    let spread = (squares - dimensions * scale * scale) / dimensions;
    let noise = (fourth / count - squares) / (dimensions * count);
    let shrinkage = if spread > 0.0 {
        noise.clamp(0.0, spread) / spread
    } else {
        0.0
    };
    for (index, value) in covariance.iter_mut().enumerate() {
        let target = if index / d == index % d { scale } else { 0.0 };
        *value = (1.0 - shrinkage) * *value + shrinkage * target;
    }
    (mean, covariance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_the_product_of_its_factor() {
        let matrix = vec![4.0, 2.0, 0.4, 2.0, 5.0, 1.0, 0.4, 1.0, 3.0];
        let lower = cholesky(matrix.clone(), 3).unwrap_or_default();
        for row in 0..3 {
            for column in 0..3 {
                let product = dot(&lower[row * 3..][..3], &lower[column * 3..][..3]);
                assert!((product - matrix[row * 3 + column]).abs() < 1e-12);
            }
        }
        assert!(cholesky(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
        assert!(cholesky(vec![f64::NAN], 1).is_none());
    }

    #[test]
    fn distances_are_those_of_the_inverse() {
        // Covariance [[4, 0], [0, 9]]: (2 / 2)^2 + (6 / 3)^2.
        let lower = cholesky(vec![4.0, 0.0, 0.0, 9.0], 2).unwrap_or_default();
        assert!((squared_distance(&lower, &[2.0, 6.0]) - 5.0).abs() < 1e-12);
    }

    /// scikit-learn's `ledoit_wolf` of the same four samples.
    #[test]
    fn shrinkage_is_the_published_one() {
        let samples =
            [[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [6.0, 4.0]].map(|sample| sample.to_vec());
        let (mean, covariance) = ledoit_wolf(&samples);
        assert_eq!(mean, [3.0, 3.0]);
        let expected = [
            3.1816037735849054,
            0.6356132075471698,
            0.6356132075471698,
            2.8183962264150946,
        ];
        for (found, expected) in covariance.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{covariance:?}");
        }
    }
}
