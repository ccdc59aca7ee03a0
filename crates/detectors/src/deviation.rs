//! The deviation loss (Pang et al., KDD 2019) and the score of an image from those of its positions, which DevNet and DRA share.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How many deviations anomalous images should be away from what is usual.
pub(crate) const MARGIN: f64 = 5.0;
/// How many numbers say what is usual.
const USUAL: usize = 5000;

/// What scores are compared with: mean and standard deviation of a sample of what is usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, divisor `n - 1`.
    pub deviation: f64,
}

impl Reference {
    /// Of a sample of at least two numbers.
    pub fn of(sample: &[f64]) -> Self {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
        Self {
            mean,
            deviation: (squares / (count - 1.0)).sqrt(),
        }
    }

    /// Of 5000 standard normal numbers.
    pub(crate) fn drawn(random: &mut ChaCha8Rng) -> Self {
        // Box and Muller's pairs.
        let sample: Vec<f64> = (0..USUAL / 2)
            .flat_map(|_| {
                let radius = (-2.0 * (1.0 - random.random_range(0.0..1.0_f64)).ln()).sqrt();
                let angle = std::f64::consts::TAU * random.random_range(0.0..1.0_f64);
                [radius * angle.cos(), radius * angle.sin()]
            })
            .collect();
        Self::of(&sample)
    }

    /// The loss of an image's score, and its slope: how many deviations the score is away from what is usual; where it `should_deviate`, how
    /// many it lacks to five above.
    pub(crate) fn loss(&self, score: f64, should_deviate: bool) -> [f64; 2] {
        let deviations = (score - self.mean) / self.deviation;
        let slope = self.deviation.recip();
        match should_deviate {
            false => [deviations.abs(), slope * deviations.signum()],
            true if deviations < MARGIN => [MARGIN - deviations, -slope],
            true => [0.0, 0.0],
        }
    }
}

/// The tenth of the positions (at least one) whose scores are farthest from zero, and the mean of how far they are.
pub(crate) fn top_tenth(scores: &[f64]) -> (f64, Vec<usize>) {
    let count = (scores.len() / 10).max(1);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let farther = |a: &usize, b: &usize| {
        let size = |index: &usize| scores[*index].abs();
        size(b).total_cmp(&size(a)).then(a.cmp(b))
    };
    order.select_nth_unstable_by(count - 1, farther);
    order.truncate(count);
    order.sort_unstable();
    let sum: f64 = order.iter().map(|&index| scores[index].abs()).sum();
    (sum / count as f64, order)
}

/// The score of an image from those of the positions of all its scales: of every scale the mean of how far from zero the tenth that is
/// farthest is, and of these the mean.
pub fn image_score(scales: &[Vec<f64>]) -> f64 {
    let sum: f64 = scales.iter().map(|scores| top_tenth(scores).0).sum();
    sum / scales.len() as f64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_tenth_counts_whatever_its_sign() {
        let mut scores: Vec<f64> = (0..25).map(|index| f64::from(index) * 0.1).collect();
        scores[3] = -9.0;
        let (mean, positions) = top_tenth(&scores);
        assert_eq!(positions, [3, 24]);
        assert!((mean - 5.7).abs() < 1e-12);
        assert!((image_score(&[scores, vec![-1.0, 0.5]]) - 3.35).abs() < 1e-12);
    }

    #[test]
    fn what_is_usual_is_standard_normal() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let first = Reference::drawn(&mut random);
        // Three standard errors of 5000 numbers.
        assert!(first.mean.abs() < 0.043, "{first:?}");
        assert!((first.deviation - 1.0).abs() < 0.03, "{first:?}");
        assert_ne!(first, Reference::drawn(&mut random));
    }

    #[test]
    fn slopes_are_those_of_the_loss() {
        let reference = Reference {
            mean: 0.1,
            deviation: 0.5,
        };
        for (score, anomalous, loss) in [
            (-0.4, false, 1.0),
            (1.1, false, 2.0),
            (1.1, true, 3.0),
            (3.0, true, 0.0),
        ] {
            let [found, slope] = reference.loss(score, anomalous);
            assert!((found - loss).abs() < 1e-12, "{score}");
            let [beyond, _] = reference.loss(score + 1e-6, anomalous);
            assert!(
                ((beyond - found) / 1e-6 - slope).abs() < 1e-6,
                "{score}, {slope}"
            );
        }
    }
}
