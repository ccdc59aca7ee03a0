//! Scores as integers whose order is the ranking, highest score first.

use crate::error::{Class, MetricError};

/// A type of score: `f32` or `f64`.
pub trait Score: sealed::Rank {}

impl Score for f32 {}
impl Score for f64 {}

/// An unsigned integer that ranks a score: the smaller, the higher the score.
pub trait Key: Copy + Ord + Default + Send + Sync {
    /// `self - origin` as a number; `origin <= self`.
    fn distance(self, origin: Self) -> u64;
    /// The score that has this key.
    fn score(self) -> f64;
}

pub(crate) mod sealed {
    use super::Key;

    /// What the crate needs of a score. Not implementable outside of it.
    pub trait Rank: Copy + PartialOrd + Send + Sync + 'static {
        /// Integers that rank this type.
        type Key: Key;
        /// The key of a finite score; equal scores, also 0.0 and -0.0, share one.
        fn key(self) -> Self::Key;
        /// Neither NaN nor infinite.
        fn finite(self) -> bool;
        /// The same value as `f64`.
        fn value(self) -> f64;
        /// The least number of this type above the score.
        fn above(self) -> Self;
    }
}

macro_rules! rank {
    ($float:ty, $int:ty) => {
        impl sealed::Rank for $float {
            type Key = $int;

            #[inline(always)]
            fn key(self) -> $int {
                // Adding +0.0 turns -0.0 into +0.0: the two are one threshold.
                let bits = (self + 0.0).to_bits();
                const SIGN: $int = 1 << (<$int>::BITS - 1);
                // Ascending floats are ascending integers once negative numbers are inverted and
                // the others moved above them; the final inversion puts the highest score first.
                let negative = (bits >> (<$int>::BITS - 1)).wrapping_neg();
                !(bits ^ (negative | SIGN))
            }

            #[inline(always)]
            fn finite(self) -> bool {
                self.is_finite()
            }

            #[inline(always)]
            fn value(self) -> f64 {
                f64::from(self)
            }

            fn above(self) -> Self {
                self.next_up()
            }
        }

        impl Key for $int {
            #[inline(always)]
            fn distance(self, origin: Self) -> u64 {
                u64::from(self - origin)
            }

            #[inline(always)]
            fn score(self) -> f64 {
                const SIGN: $int = 1 << (<$int>::BITS - 1);
                let ascending = !self;
                let bits = if ascending & SIGN != 0 {
                    ascending ^ SIGN
                } else {
                    !ascending
                };
                f64::from(<$float>::from_bits(bits))
            }
        }
    };
}

rank!(f32, u32);
rank!(f64, u64);

/// Refuses empty input, lengths that differ and scores that cannot be ranked.
pub(crate) fn check<S: Score>(scores: &[S], labels: &[bool]) -> Result<(), MetricError> {
    if scores.len() != labels.len() {
        return Err(MetricError::LengthMismatch {
            scores: scores.len(),
            labels: labels.len(),
        });
    }
    if scores.is_empty() {
        return Err(MetricError::Empty);
    }
    check_finite(scores)
}

/// Refuses sets in which a class is missing.
pub(crate) fn check_classes(anomalous: u64, normal: u64) -> Result<(), MetricError> {
    match (anomalous, normal) {
        (0, 0) => Err(MetricError::Empty),
        (0, count) => Err(MetricError::SingleClass {
            present: Class::Normal,
            count,
        }),
        (count, 0) => Err(MetricError::SingleClass {
            present: Class::Anomalous,
            count,
        }),
        _ => Ok(()),
    }
}

/// Names the first score that cannot be ranked.
pub(crate) fn check_finite<S: Score>(scores: &[S]) -> Result<(), MetricError> {
    // Without an early exit the test runs on whole vectors of scores.
    for (chunk, part) in scores.chunks(4096).enumerate() {
        if part.iter().fold(true, |all, s| all & s.finite()) {
            continue;
        }
        if let Some(offset) = part.iter().position(|s| !s.finite()) {
            let index = chunk * 4096 + offset;
            return Err(MetricError::NonFiniteScore {
                index,
                value: scores[index].value(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::sealed::Rank;
    use super::*;

    #[test]
    fn keys_rank_and_return_the_score() {
        let ascending = [f32::MIN, -1.5, -1e-40, 0.0, 1e-40, 0.25, 3.0, f32::MAX];
        for pair in ascending.windows(2) {
            assert!(pair[0].key() > pair[1].key(), "{pair:?}");
            assert!(
                f64::from(pair[0]).key() > f64::from(pair[1]).key(),
                "{pair:?}"
            );
        }
        for score in ascending {
            assert_eq!(score.key().score(), f64::from(score));
            assert_eq!(f64::from(score).key().score(), f64::from(score));
        }
        assert_eq!((-0.0_f32).key(), 0.0_f32.key());
        assert_eq!((-0.0_f64).key(), 0.0_f64.key());
    }

    #[test]
    fn the_first_bad_score_is_named() {
        let mut scores = vec![0.5_f32; 9000];
        scores[8000] = f32::NAN;
        scores[8001] = f32::INFINITY;
        let found = check_finite(&scores);
        assert!(
            matches!(found, Err(MetricError::NonFiniteScore { index: 8000, value }) if value.is_nan())
        );
    }
}
