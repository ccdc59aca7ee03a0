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
    /// Chooses a threshold.
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
                let needed = fewest_reaching(target, anomalous.len());
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
pub(crate) fn fewest_reaching(share: f64, count: usize) -> usize {
    let guess = ((share * count as f64).ceil() as usize).clamp(1, count);
    let reaches = |k: usize| k as f64 / count as f64 >= share;
    if guess > 1 && reaches(guess - 1) {
        guess - 1
    } else if reaches(guess) {
        guess
    } else {
        guess + 1
    }
}
