//! Split conformal calibration: a bound on false alarms that holds whatever the detector and the images.

use crate::error::{Class, MetricError};

/// The scores of normal images that a detector did not learn from.
///
/// If those images and a new normal one are exchangeable (drawn alike, in any order), the new one's score is as likely to
/// take any rank among all of them. So each of the promises below holds for the new image, over the draw of all images together,
/// without any assumption on the detector or on the scores (Vovk et al. 2005, "Algorithmic learning in a random world";
/// Laxhammar & Falkman 2010 for anomaly detection).
///
/// ```
/// use ckaad_metrics::Calibration;
/// let scores: Vec<f64> = (1..=39).map(f64::from).collect();
/// let calibration = Calibration::new(&scores)?;
/// let at = calibration.threshold(0.05)?;
/// // One in twenty of forty images, the new one among them: the two highest are flagged.
/// assert_eq!(at.rate, 2.0 / 40.0);
/// assert!(38.0 < at.value && at.value <= 38.5);
/// assert_eq!(calibration.p_value(38.5), 2.0 / 40.0);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Ascending.
    scores: Vec<f64>,
}

/// A threshold and what it promises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PromisedThreshold {
    /// Images with this score or a higher one are anomalous.
    pub value: f64,
    /// The largest probability that a new normal image is flagged, in (0, 1].
    pub rate: f64,
}

impl Calibration {
    /// Takes the scores of held-out normal images.
    ///
    /// # Errors
    /// [`MetricError::ClassMissing`] without any, [`MetricError::NonFiniteScore`].
    pub fn new(scores: &[f64]) -> Result<Self, MetricError> {
        if scores.is_empty() {
            return Err(MetricError::ClassMissing {
                missing: Class::Normal,
                count: 0,
            });
        }
        if let Some(index) = scores.iter().position(|score| !score.is_finite()) {
            return Err(MetricError::NonFiniteScore {
                index,
                value: scores[index],
            });
        }
        let mut scores = scores.to_vec();
        scores.sort_unstable_by(f64::total_cmp);
        Ok(Self { scores })
    }

    /// How many scores there are.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// The scores, ascending.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The probability of a score at least as high if the image is normal:
    /// `(1 + number of calibration scores >= score) / (n + 1)`, in `[1 / (n + 1), 1]`. At most `alpha` with a probability of
    /// at most `alpha` for a normal image.
    pub fn p_value(&self, score: f64) -> f64 {
        let below = self.scores.partition_point(|&other| other < score);
        (1 + self.scores.len() - below) as f64 / (self.scores.len() + 1) as f64
    }

    /// The lowest threshold that flags a new normal image with a probability of at most `alpha`: just above the `k`-th highest
    /// calibration score, `k = floor(alpha (n + 1))`. With fewer than `1 / alpha - 1` scores no threshold promises that much;
    /// then it is just above the highest, which promises `1 / (n + 1)`, the least that `n` scores can.
    ///
    /// # Errors
    /// [`MetricError::InvalidParameter`] unless `alpha` is within (0, 1).
    pub fn threshold(&self, alpha: f64) -> Result<PromisedThreshold, MetricError> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(MetricError::InvalidParameter {
                name: "alpha",
                value: alpha,
                expected: "greater than 0 and below 1",
            });
        }
        let all = self.scores.len() + 1;
        // The product may round past a whole number; the quotient decides.
        let guess = (alpha * all as f64) as usize + 1;
        let flagged = (1..=guess.min(all - 1))
            .rev()
            .find(|&flagged| flagged as f64 / all as f64 <= alpha)
            .unwrap_or(1);
        Ok(PromisedThreshold {
            value: self.scores[all - 1 - flagged].next_up(),
            rate: flagged as f64 / all as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn few_scores_promise_what_they_can() {
        let calibration = Calibration::new(&[3.0, 1.0, 2.0]).unwrap();
        let at = calibration.threshold(0.05).unwrap();
        assert_eq!((at.value, at.rate), (3.0_f64.next_up(), 0.25));
        let loose = calibration.threshold(0.5).unwrap();
        assert_eq!((loose.value, loose.rate), (2.0_f64.next_up(), 0.5));
    }

    #[test]
    fn an_image_is_flagged_where_its_p_value_is_within_the_rate() {
        let scores = [0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 5.0, 7.0, 7.0];
        let calibration = Calibration::new(&scores).unwrap();
        for alpha in [0.1, 0.15, 0.2, 0.3, 0.5, 0.9] {
            let at = calibration.threshold(alpha).unwrap();
            assert!(at.rate <= alpha);
            for score in [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0] {
                let flagged = score >= at.value;
                assert_eq!(
                    flagged,
                    calibration.p_value(score) <= at.rate,
                    "{score} at {alpha}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Calibration::new(&[]).is_err());
        assert!(Calibration::new(&[1.0, f64::NAN]).is_err());
        let calibration = Calibration::new(&[1.0]).unwrap();
        for alpha in [0.0, 1.0, -0.1, f64::NAN] {
            assert!(calibration.threshold(alpha).is_err());
        }
    }
}
