//! Mahalanobis distances: graphs have no forward substitution, but a product with the inverse of the factor.

use rayon::prelude::*;

/// The inverse of a lower triangle `L` of `n` rows, both row-major `n` x `n`.
pub(crate) fn inverse(lower: &[f64], n: usize) -> Vec<f32> {
    let mut columns = vec![0.0; n * n];
    columns
        .par_chunks_exact_mut(n.max(1))
        .enumerate()
        .for_each(|(column, solved)| {
            for row in column..n {
                let factors = &lower[row * n..][..=row];
                let done: f64 = factors[column..row]
                    .iter()
                    .zip(&solved[column..row])
                    .map(|(factor, x)| factor * x)
                    .sum();
                let one = f64::from(u8::from(row == column));
                solved[row] = (one - done) / factors[row];
            }
        });
    let row = |row: usize| columns[row..].iter().step_by(n.max(1));
    (0..n).flat_map(row).map(|&value| value as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_with_the_inverse_is_the_identity() {
        let lower = [2.0, 0.0, 0.0, 1.0, 4.0, 0.0, -3.0, 0.5, 0.25];
        let inverse = inverse(&lower, 3);
        for row in 0..3 {
            for column in 0..3 {
                let product = |k: usize| lower[row * 3 + k] * f64::from(inverse[k * 3 + column]);
                let sum: f64 = (0..3).map(product).sum();
                let expected = f64::from(u8::from(row == column));
                assert!((sum - expected).abs() < 1e-6, "{inverse:?}");
            }
        }
    }
}
