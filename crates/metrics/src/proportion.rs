//! Confidence intervals of shares.

use crate::delong::normal_quantile;
use crate::error::MetricError;

/// Wilson's score interval of a share: `(p + z²/2n ± z sqrt(p (1 - p) / n + z²/4n²)) / (1 + z²/n)`, low end and high end in \[0, 1\].
///
/// Unlike the interval `p ± z sqrt(p (1 - p) / n)` it has a width where all trials agree, and keeps its confidence with few of them
/// (Wilson 1927; Brown, Cai, DasGupta 2001, "Interval estimation for a binomial proportion").
///
/// # Errors
/// [`MetricError::InvalidParameter`] unless `confidence` is within (0, 1) and `successes` at most `trials`; [`MetricError::Empty`] without
/// trials.
///
/// ```
/// let [low, high] = ckaad_metrics::wilson_interval(0, 10, 0.95)?;
/// assert!(low == 0.0 && (high - 0.2775).abs() < 1e-4);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn wilson_interval(
    successes: u64,
    trials: u64,
    confidence: f64,
) -> Result<[f64; 2], MetricError> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(MetricError::InvalidParameter {
            name: "confidence",
            value: confidence,
            expected: "between 0 and 1, both excluded",
        });
    }
    if trials == 0 {
        return Err(MetricError::Empty);
    }
    if successes > trials {
        return Err(MetricError::InvalidParameter {
            name: "successes",
            value: successes as f64,
            expected: "at most the number of trials",
        });
    }
    let n = trials as f64;
    let share = successes as f64 / n;
    let z = normal_quantile(0.5 + confidence / 2.0);
    let centre = share + z * z / (2.0 * n);
    let reach = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // Rounding leaves the ends of 0 and of n successes just off.
    let low = match successes {
        0 => 0.0,
        _ => (centre - reach) / scale,
    };
    let high = match successes == trials {
        true => 1.0,
        false => (centre + reach) / scale,
    };
    Ok([low, high])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn intervals_are_those_of_the_formula() {
        // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148 and 1 of 29.
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = wilson_interval(successes, trials, 0.95).unwrap();
            assert!((found[0] - low).abs() < 5e-5, "{found:?}");
            assert!((found[1] - high).abs() < 5e-5, "{found:?}");
        }
    }

    #[test]
    fn ends_are_shares() {
        assert_eq!(wilson_interval(0, 3, 0.95).unwrap()[0], 0.0);
        assert_eq!(wilson_interval(3, 3, 0.95).unwrap()[1], 1.0);
        assert!(wilson_interval(0, 0, 0.95).is_err());
        assert!(wilson_interval(2, 1, 0.95).is_err());
        assert!(wilson_interval(1, 2, 1.0).is_err());
    }
}
