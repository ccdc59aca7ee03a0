//! Confidence intervals and a paired test for AUROC, after DeLong.

use crate::error::{Class, MetricError};
use crate::score::{Score, check, check_classes};

/// An AUROC with its standard error and a confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AurocInterval {
    /// The AUROC, as [`auroc`](crate::auroc) gives it.
    pub auroc: f64,
    /// Its standard error; greater than 0.
    pub standard_error: f64,
    /// Lower end of the interval, not below 0.
    pub low: f64,
    /// Upper end of the interval, not above 1.
    pub high: f64,
}

/// Two AUROCs on the same samples, compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDelong {
    /// AUROC of the first scores.
    pub auroc_a: f64,
    /// AUROC of the second scores.
    pub auroc_b: f64,
    /// Standard error of `auroc_a - auroc_b`; greater than 0.
    pub standard_error: f64,
    /// `(auroc_a - auroc_b) / standard_error`.
    pub z: f64,
    /// Two-sided probability of a difference this large if the two were equal, in \[0, 1\].
    pub p_value: f64,
}

/// AUROC with DeLong's standard error and a normal confidence interval, in O(n log n).
///
/// With `V(x) = share of normal scores below x, ties counting one half` for each of the m anomalous
/// samples, and likewise `W(y)` for each of the n normal ones, the variance is
/// `var(V) / m + var(W) / n` (sample variances), and the interval `auroc +- z * sqrt(variance)`, cut to \[0, 1\].
/// Ranks make the placements V and W available in O(n log n), after Sun and Xu.
///
/// `confidence` lies in (0, 1), for example 0.95.
///
/// Sources: DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988); Sun, Xu, IEEE Signal Processing
/// Letters 21 (2014).
///
/// # Errors
/// Those of [`auroc`](crate::auroc); [`MetricError::TooFew`] with fewer than two samples of a class;
/// [`MetricError::ZeroVariance`] where all placements agree, as for a perfect ranking: there the method
/// has nothing to say. [`MetricError::InvalidParameter`] for the confidence.
///
/// ```
/// use ckaad_metrics::auroc_delong;
/// let scores = [0.1_f64, 0.4, 0.35, 0.8, 0.7, 0.2];
/// let labels = [false, false, true, true, true, false];
/// let found = auroc_delong(&scores, &labels, 0.95)?;
/// assert!((found.auroc - 8.0 / 9.0).abs() < 1e-12);
/// assert!((found.standard_error - 0.157135).abs() < 1e-6);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn auroc_delong<S: Score>(
    scores: &[S],
    labels: &[bool],
    confidence: f64,
) -> Result<AurocInterval, MetricError> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(MetricError::InvalidParameter {
            name: "confidence",
            value: confidence,
            expected: "between 0 and 1, both excluded",
        });
    }
    let placements = Placements::of(scores, labels)?;
    let auroc = mean(&placements.anomalous);
    let variance = placements.covariance(&placements);
    if variance < NEGLIGIBLE {
        return Err(MetricError::ZeroVariance { what: "the AUROC" });
    }
    let standard_error = variance.sqrt();
    let reach = normal_quantile(0.5 + confidence / 2.0) * standard_error;
    Ok(AurocInterval {
        auroc,
        standard_error,
        low: (auroc - reach).max(0.0),
        high: (auroc + reach).min(1.0),
    })
}

/// DeLong's test of whether two scores of the same samples have the same AUROC, in O(n log n).
///
/// `z = (auroc_a - auroc_b) / sqrt(var_a + var_b - 2 cov_ab)`, with variances and covariance from the
/// placements that [`auroc_delong`] describes; the p-value is two-sided normal, `erfc(|z| / sqrt 2)`.
///
/// # Errors
/// As for [`auroc_delong`], for either score; [`MetricError::ZeroVariance`] where the difference does not
/// vary, as when both scores rank alike.
///
/// ```
/// use ckaad_metrics::delong_test;
/// let a = [0.1_f64, 0.4, 0.35, 0.8, 0.7, 0.2];
/// let b = [0.5_f64, 0.4, 0.3, 0.6, 0.2, 0.1];
/// let labels = [false, false, true, true, true, false];
/// let test = delong_test(&a, &b, &labels)?;
/// assert!((test.auroc_a - test.auroc_b - 1.0 / 3.0).abs() < 1e-12);
/// assert!((test.p_value - 0.220671).abs() < 1e-6);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn delong_test<S: Score>(
    scores_a: &[S],
    scores_b: &[S],
    labels: &[bool],
) -> Result<PairedDelong, MetricError> {
    let (a, b) = (
        Placements::of(scores_a, labels)?,
        Placements::of(scores_b, labels)?,
    );
    let (auroc_a, auroc_b) = (mean(&a.anomalous), mean(&b.anomalous));
    let difference = a.minus(&b);
    let variance = difference.covariance(&difference);
    if variance < NEGLIGIBLE {
        return Err(MetricError::ZeroVariance {
            what: "the difference of the two AUROCs",
        });
    }
    let standard_error = variance.sqrt();
    let z = (auroc_a - auroc_b) / standard_error;
    Ok(PairedDelong {
        auroc_a,
        auroc_b,
        standard_error,
        z,
        p_value: libm::erfc(z.abs() / std::f64::consts::SQRT_2),
    })
}

/// Below this probability two AUROCs count as different.
const SIGNIFICANT: f64 = 0.05;

/// Whether two AUROCs on the same samples differ: [`delong_test`] gives less than 5 % probability to so large a difference if they were equal. Where
/// nothing varies, as between two perfect rankings, equal is equal and different is different.
///
/// # Errors
/// Those of [`delong_test`], but for [`MetricError::ZeroVariance`].
///
/// ```
/// use ckaad_metrics::distinguishable;
/// let labels = [false, false, false, true, true, true];
/// let perfect = [0.1_f64, 0.2, 0.3, 0.7, 0.8, 0.9];
/// assert!(!distinguishable(&perfect, &perfect.map(f64::sqrt), &labels)?);
/// assert!(distinguishable(&perfect, &perfect.map(|score| -score), &labels)?);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn distinguishable<S: Score>(
    scores_a: &[S],
    scores_b: &[S],
    labels: &[bool],
) -> Result<bool, MetricError> {
    match delong_test(scores_a, scores_b, labels) {
        Ok(test) => Ok(test.p_value < SIGNIFICANT),
        Err(MetricError::ZeroVariance { .. }) => {
            Ok(crate::auroc(scores_a, labels)? != crate::auroc(scores_b, labels)?)
        }
        Err(error) => Err(error),
    }
}

/// What rounding may leave of a variance that is 0; those of placements that differ are far above it.
const NEGLIGIBLE: f64 = 1e-31;

/// For every sample the share of the other class that it is ranked rightly against, in the order given.
struct Placements {
    anomalous: Vec<f64>,
    normal: Vec<f64>,
}

impl Placements {
    fn of<S: Score>(scores: &[S], labels: &[bool]) -> Result<Self, MetricError> {
        check(scores, labels)?;
        let keys = |wanted: bool| -> Vec<S::Key> {
            scores
                .iter()
                .zip(labels)
                .filter(|&(_, &label)| label == wanted)
                .map(|(score, _)| score.key())
                .collect()
        };
        let (mut anomalous, mut normal) = (keys(true), keys(false));
        check_classes(anomalous.len() as u64, normal.len() as u64)?;
        for (class, samples) in [(Class::Anomalous, &anomalous), (Class::Normal, &normal)] {
            if samples.len() < 2 {
                return Err(MetricError::TooFew {
                    class,
                    found: samples.len() as u64,
                    needed: 2,
                });
            }
        }
        let (in_order_anomalous, in_order_normal) = (anomalous.clone(), normal.clone());
        crate::radix::sort(&mut anomalous);
        crate::radix::sort(&mut normal);
        // Keys fall as scores rise: keys above mine are scores below mine.
        let share_above = |sorted: &[S::Key], key: S::Key| {
            let (below, through) = (
                sorted.partition_point(|k| *k < key),
                sorted.partition_point(|k| *k <= key),
            );
            (2 * sorted.len() - below - through) as f64 / (2 * sorted.len()) as f64
        };
        Ok(Self {
            anomalous: in_order_anomalous
                .iter()
                .map(|&key| share_above(&normal, key))
                .collect(),
            normal: in_order_normal
                .iter()
                .map(|&key| 1.0 - share_above(&anomalous, key))
                .collect(),
        })
    }

    fn minus(&self, other: &Self) -> Self {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self {
            anomalous: minus(&self.anomalous, &other.anomalous),
            normal: minus(&self.normal, &other.normal),
        }
    }

    /// Of the two AUROCs.
    fn covariance(&self, other: &Self) -> f64 {
        covariance(&self.anomalous, &other.anomalous) / self.anomalous.len() as f64
            + covariance(&self.normal, &other.normal) / self.normal.len() as f64
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - mean_a) * (b - mean_b))
        .sum::<f64>()
        / (a.len() - 1) as f64
}

/// The `x` with `P(X <= x) = probability` for a standard normal X; for probabilities of 0.5 and above.
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    let upper_tail = |x: f64| 0.5 * libm::erfc(x / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (0.0, 40.0);
    // Halving 40 this often leaves less than the spacing of doubles.
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if upper_tail(middle) > 1.0 - probability {
            low = middle
        } else {
            high = middle
        }
    }
    0.5 * (low + high)
}
