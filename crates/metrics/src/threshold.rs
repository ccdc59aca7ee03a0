//! Choosing a threshold on one set, to be applied to another.

use crate::error::{Class, MetricError};
use crate::image_level::oracle_f1_of;
use crate::ranking::rank;
use crate::score::{Score, check};
use crate::sweep::BestYouden;

/// How to choose a threshold; predicted anomalous means `score >= threshold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ThresholdRule {
    /// The score with the highest F1; of equals the lowest.
    MaxF1,
    /// The score with the highest `sensitivity + specificity - 1` (Youden's J); of equals the lowest.
    Youden,
    /// The lowest threshold at which at most this share of the normal samples is flagged, in \[0, 1).
    TargetFpr(f64),
    /// The highest threshold at which at least this share of the anomalous samples is found, in (0, 1].
    TargetSensitivity(f64),
}

impl ThresholdRule {
    /// Chooses a threshold, in units of the scores, to be applied to another set with
    /// [`Confusion::at_threshold`](crate::Confusion::at_threshold).
    ///
    /// `TargetFpr` looks at the normal samples alone and `TargetSensitivity` at the anomalous ones, so a
    /// validation set of normal images is enough for the former. The threshold of the former is the next number
    /// above the first normal score that must stay unflagged; that of the others is a score of the set.
    ///
    /// # Errors
    /// [`MetricError::InvalidParameter`] for a target outside its range; [`MetricError::ClassMissing`] where
    /// the samples that the target is about are absent; for `MaxF1` and `Youden` those of [`auroc`](crate::auroc).
    ///
    /// ```
    /// use ckaad_metrics::{Confusion, ThresholdRule};
    /// let (scores, labels) = ([0.1_f32, 0.3, 0.2, 0.6, 0.4, 0.9], [false, false, false, false, true, true]);
    /// assert_eq!(ThresholdRule::MaxF1.fit(&scores, &labels)?, f64::from(0.4_f32));
    /// let threshold = ThresholdRule::TargetFpr(0.25).fit(&scores, &labels)?;
    /// let at = Confusion::at_threshold(&[0.2_f32, 0.7, 0.5], &[false, false, true], threshold)?;
    /// assert_eq!((at.sensitivity()?, at.specificity()?), (1.0, 0.5));
    /// # Ok::<(), ckaad_metrics::MetricError>(())
    /// ```
    pub fn fit<S: Score>(&self, scores: &[S], labels: &[bool]) -> Result<f64, MetricError> {
        match *self {
            Self::MaxF1 => Ok(oracle_f1_of(&rank(scores, labels)?)?.threshold),
            Self::Youden => {
                let ranking = rank(scores, labels)?;
                let mut best = BestYouden::default();
                ranking.walk(|step| best.add(step, ranking.anomalous(), ranking.normal()));
                best.score().ok_or(MetricError::Empty)
            }
            Self::TargetFpr(target) => {
                if !(0.0..1.0).contains(&target) {
                    return Err(MetricError::InvalidParameter {
                        name: "target FPR",
                        value: target,
                        expected: "at least 0 and below 1",
                    });
                }
                let mut normal = scores_of(Class::Normal, scores, labels)?;
                let allowed = most_within(target, normal.len());
                // Everything above the first normal score that must not be flagged.
                Ok(nth_highest(&mut normal, allowed).above().value())
            }
            Self::TargetSensitivity(target) => {
                if !(target > 0.0 && target <= 1.0) {
                    return Err(MetricError::InvalidParameter {
                        name: "target sensitivity",
                        value: target,
                        expected: "greater than 0 and at most 1",
                    });
                }
                let mut anomalous = scores_of(Class::Anomalous, scores, labels)?;
                let needed = fewest_reaching(target, anomalous.len() as u64) as usize;
                Ok(nth_highest(&mut anomalous, needed - 1).value())
            }
        }
    }
}

/// The scores of one class; an error if there are none.
fn scores_of<S: Score>(class: Class, scores: &[S], labels: &[bool]) -> Result<Vec<S>, MetricError> {
    check(scores, labels)?;
    let wanted = class == Class::Anomalous;
    let found: Vec<S> = scores
        .iter()
        .zip(labels)
        .filter(|&(_, &label)| label == wanted)
        .map(|(&s, _)| s)
        .collect();
    if found.is_empty() {
        return Err(MetricError::ClassMissing {
            missing: class,
            count: scores.len() as u64,
        });
    }
    Ok(found)
}

fn nth_highest<S: Score>(scores: &mut [S], n: usize) -> S {
    *scores.select_nth_unstable_by_key(n, |score| score.key()).1
}

/// The greatest `k < count` with `k / count <= share`.
fn most_within(share: f64, count: usize) -> usize {
    // The product may round past a whole number; the quotients decide.
    let guess = ((share * count as f64) as usize).min(count - 1);
    let fits = |k: usize| k as f64 / count as f64 <= share;
    if guess + 1 < count && fits(guess + 1) {
        guess + 1
    } else if fits(guess) {
        guess
    } else {
        guess - 1
    }
}

/// The least `k >= 1` with `k / count >= share`.
pub(crate) fn fewest_reaching(share: f64, count: u64) -> u64 {
    let guess = ((share * count as f64).ceil() as u64).clamp(1, count);
    let reaches = |k: u64| k as f64 / count as f64 >= share;
    if guess > 1 && reaches(guess - 1) {
        guess - 1
    } else if reaches(guess) {
        guess
    } else {
        guess + 1
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_that_round_badly_still_count_right() {
        // 0.07 * 100 is 7.000000000000001 and 0.29 * 100 is 28.999999999999996 in doubles.
        assert_eq!(fewest_reaching(0.07, 100), 7);
        assert_eq!(most_within(0.29, 100), 29);
        assert_eq!(most_within(0.07, 100), 7);
        for count in 1..200_u64 {
            for part in 1..=count {
                let share = part as f64 / count as f64;
                assert_eq!(fewest_reaching(share, count), part);
                assert_eq!(
                    most_within(share, count as usize),
                    (part as usize).min(count as usize - 1)
                );
            }
        }
    }

    #[test]
    fn each_rule_keeps_its_promise() {
        let scores = [0.1_f32, 0.2, 0.2, 0.3, 0.4, 0.35, 0.5, 0.6];
        let labels = [false, false, false, false, false, true, true, true];
        assert_eq!(
            ThresholdRule::MaxF1.fit(&scores, &labels).unwrap(),
            f64::from(0.35_f32)
        );
        assert_eq!(
            ThresholdRule::Youden.fit(&scores, &labels).unwrap(),
            f64::from(0.35_f32)
        );
        let flagged = |rule: ThresholdRule| {
            let threshold = rule.fit(&scores, &labels).unwrap();
            scores
                .iter()
                .filter(|&&s| f64::from(s) >= threshold)
                .count()
        };
        assert_eq!(flagged(ThresholdRule::TargetFpr(0.0)), 2);
        assert_eq!(flagged(ThresholdRule::TargetFpr(0.2)), 4);
        // Two normal samples share the next score: flagging one of them flags both.
        assert_eq!(flagged(ThresholdRule::TargetFpr(0.6)), 5);
        assert_eq!(flagged(ThresholdRule::TargetFpr(0.8)), 7);
        assert_eq!(flagged(ThresholdRule::TargetSensitivity(0.3)), 1);
        assert_eq!(flagged(ThresholdRule::TargetSensitivity(0.9)), 4);
    }

    #[test]
    fn target_rules_need_one_class_only() {
        let scores = [0.1_f64, 0.2, 0.3];
        let threshold = ThresholdRule::TargetFpr(0.34)
            .fit(&scores, &[false; 3])
            .unwrap();
        assert!(threshold > 0.2 && threshold <= 0.3);
        assert_eq!(
            ThresholdRule::TargetSensitivity(1.0).fit(&scores, &[true; 3]),
            Ok(0.1)
        );
        let missing = ThresholdRule::TargetFpr(0.1).fit(&scores, &[true; 3]);
        assert_eq!(
            missing,
            Err(MetricError::ClassMissing {
                missing: Class::Normal,
                count: 3
            })
        );
    }
}
