//! What one rate costs in the other, with the threshold taken from the evaluated set.

use crate::error::MetricError;
use crate::image_level::check_share;
use crate::ranking::rank;
use crate::score::Score;
use crate::threshold::fewest_reaching;

/// A point of the ROC curve. Its threshold was taken from the set it is measured on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OracleOperatingPoint {
    /// Share of anomalous samples found, in \[0, 1\].
    pub sensitivity: f64,
    /// Share of normal samples left alone, in \[0, 1\].
    pub specificity: f64,
    /// A score of the set; infinite if only flagging nothing will do.
    pub threshold: f64,
}

/// The highest sensitivity at which the specificity is still at least the one given, in (0, 1].
///
/// `max { TPR(t) : 1 - FPR(t) >= specificity }` over the scores t of the set, without interpolation.
/// The threshold comes from the evaluated set: what a user can expect is the sensitivity at a threshold that
/// [`ThresholdRule`](crate::ThresholdRule) chose on another set.
///
/// # Errors
/// Those of [`auroc`](crate::auroc), and [`MetricError::InvalidParameter`].
///
/// ```
/// use ckaad_metrics::oracle_sensitivity_at_specificity;
/// let (scores, labels) = ([0.1_f32, 0.5, 0.25, 0.75], [false, false, true, true]);
/// assert_eq!(oracle_sensitivity_at_specificity(&scores, &labels, 0.9)?.sensitivity, 0.5);
/// assert_eq!(oracle_sensitivity_at_specificity(&scores, &labels, 0.5)?.sensitivity, 1.0);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn oracle_sensitivity_at_specificity<S: Score>(
    scores: &[S],
    labels: &[bool],
    specificity: f64,
) -> Result<OracleOperatingPoint, MetricError> {
    check_share("specificity", specificity)?;
    let ranking = rank(scores, labels)?;
    let normal = ranking.normal();
    let allowed = normal - fewest_reaching(specificity, normal);
    let mut found = OracleOperatingPoint {
        sensitivity: 0.0,
        specificity: 1.0,
        threshold: f64::INFINITY,
    };
    ranking.walk(|step| {
        if step.fp_through() <= allowed {
            found = OracleOperatingPoint {
                sensitivity: step.tp_through() as f64 / ranking.anomalous() as f64,
                specificity: (normal - step.fp_through()) as f64 / normal as f64,
                threshold: step.score,
            };
        }
    });
    Ok(found)
}

/// The highest specificity at which the sensitivity is still at least the one given, in (0, 1].
///
/// `max { 1 - FPR(t) : TPR(t) >= sensitivity }` over the scores t of the set; otherwise as
/// [`oracle_sensitivity_at_specificity`].
///
/// # Errors
/// Those of [`auroc`](crate::auroc), and [`MetricError::InvalidParameter`].
///
/// ```
/// use ckaad_metrics::oracle_specificity_at_sensitivity;
/// let (scores, labels) = ([0.1_f32, 0.5, 0.25, 0.75], [false, false, true, true]);
/// assert_eq!(oracle_specificity_at_sensitivity(&scores, &labels, 0.5)?.specificity, 1.0);
/// assert_eq!(oracle_specificity_at_sensitivity(&scores, &labels, 0.95)?.specificity, 0.5);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn oracle_specificity_at_sensitivity<S: Score>(
    scores: &[S],
    labels: &[bool],
    sensitivity: f64,
) -> Result<OracleOperatingPoint, MetricError> {
    check_share("sensitivity", sensitivity)?;
    let ranking = rank(scores, labels)?;
    let (anomalous, normal) = (ranking.anomalous(), ranking.normal());
    let needed = fewest_reaching(sensitivity, anomalous);
    let mut found = None;
    ranking.walk(|step| {
        if step.tp_through() >= needed {
            found.get_or_insert(OracleOperatingPoint {
                sensitivity: step.tp_through() as f64 / anomalous as f64,
                specificity: (normal - step.fp_through()) as f64 / normal as f64,
                threshold: step.score,
            });
        }
    });
    found.ok_or(MetricError::Empty)
}
