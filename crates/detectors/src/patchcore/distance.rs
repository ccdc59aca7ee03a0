/// Dimensions after which a distance is given up that is too long already.
const STRIDE: usize = 32;
/// Sums side by side, so that the compiler may use vectors.
const LANES: usize = 8;

/// The square of the distance of two points, or anything from `limit` on if it is not below.
pub(super) fn squared_distance(a: &[f32], b: &[f32], limit: f32) -> f32 {
    let mut sum = 0.0;
    for (a, b) in a.chunks(STRIDE).zip(b.chunks(STRIDE)) {
        sum += squares(a, b);
        if sum >= limit {
            break;
        }
    }
    sum
}

fn squares(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += (a - b) * (a - b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += (a - b) * (a - b);
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_counts() {
        for dimensions in [1, 8, 31, 32, 45] {
            let a: Vec<f32> = (0..dimensions).map(|index| index as f32).collect();
            let b: Vec<f32> = a.iter().map(|x| x + 2.0).collect();
            let square = 4.0 * dimensions as f32;
            assert_eq!(squared_distance(&a, &b, f32::INFINITY), square);
            assert!(squared_distance(&a, &b, 3.0) >= 3.0);
        }
    }
}
