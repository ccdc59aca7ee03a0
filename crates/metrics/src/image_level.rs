//! Figures of labelled scores, one score per image (or per pixel: nothing here knows the difference).

use crate::confusion::Confusion;
use crate::error::MetricError;
use crate::ranking::{Positive, Ranking, rank};
use crate::score::Score;
use crate::sweep::{BestF1, LimitedArea, PrecisionArea, RocArea};

/// Area under the ROC curve, in \[0, 1\].
///
/// `(pairs won + pairs tied / 2) / (anomalous * normal)`, over all pairs of an anomalous and a normal sample,
/// of which the anomalous one should have the higher score; the same as the trapezoidal area under
/// [`roc_curve`](crate::roc_curve). Pairs are counted in integers, so the one rounding is that of the
/// final division. 0.5 is what scores without information reach on average.
///
/// Sources: Hanley, McNeil, Radiology 143 (1982); equal to scikit-learn's `roc_auc_score`.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::LengthMismatch`], [`MetricError::NonFiniteScore`] naming the index,
/// and [`MetricError::SingleClass`]: there is no area then, not an area of 0.5.
///
/// ```
/// let auroc = ckaad_metrics::auroc(&[0.1_f32, 0.5, 0.25, 0.75], &[false, false, true, true])?;
/// assert_eq!(auroc, 0.75);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn auroc<S: Score>(scores: &[S], labels: &[bool]) -> Result<f64, MetricError> {
    Ok(auroc_of(&rank(scores, labels)?))
}

pub(crate) fn auroc_of<P: Positive>(ranking: &Ranking<P>) -> f64 {
    let mut area = RocArea::default();
    ranking.walk(|step| area.add(step, ranking.normal()));
    area.value(ranking.anomalous(), ranking.normal())
}

/// Average precision, in (0, 1\].
///
/// `sum over thresholds t of (recall(t) - recall(t before)) * precision(t)`, thresholds being the distinct scores
/// from the highest down: a step function, without the optimistic interpolation of the trapezoid. Its
/// chance level is the share of anomalous samples.
///
/// Source: equal to scikit-learn's `average_precision_score`.
///
/// # Errors
/// Those of [`auroc`].
///
/// ```
/// let ap = ckaad_metrics::average_precision(&[0.1_f32, 0.5, 0.25, 0.75], &[false, false, true, true])?;
/// assert!((ap - 5.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn average_precision<S: Score>(scores: &[S], labels: &[bool]) -> Result<f64, MetricError> {
    Ok(average_precision_of(&rank(scores, labels)?))
}

pub(crate) fn average_precision_of<P: Positive>(ranking: &Ranking<P>) -> f64 {
    let mut area = PrecisionArea::default();
    ranking.walk(|step| area.add(step));
    area.value(ranking.anomalous())
}

/// The best F1 that any threshold reaches on the evaluated set itself, and that threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OracleF1 {
    /// The highest F1, in (0, 1\].
    pub f1: f64,
    /// The threshold: a score of the set, in its units; of equally good ones the lowest.
    pub threshold: f64,
    /// Decisions at that threshold; its `accuracy()` is what papers report as "ACC" beside F1-max.
    pub confusion: Confusion,
}

/// F1-max: the highest F1 over all thresholds, with its threshold, taken from the evaluated set.
///
/// `max over t of 2 tp(t) / (2 tp(t) + fp(t) + fn(t))`, predicted anomalous being `score >= t`. No user can choose
/// this threshold without the labels: report beside it the F1 at a threshold that
/// [`ThresholdRule`](crate::ThresholdRule) chose on another set.
///
/// # Errors
/// Those of [`auroc`].
///
/// ```
/// let best = ckaad_metrics::oracle_f1_max(&[0.1_f32, 0.5, 0.25, 0.75], &[false, false, true, true])?;
/// assert_eq!((best.f1, best.threshold), (0.8, 0.25));
/// assert_eq!(best.confusion.accuracy(), 0.75);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
#[doc(alias = "f1_max")]
pub fn oracle_f1_max<S: Score>(scores: &[S], labels: &[bool]) -> Result<OracleF1, MetricError> {
    oracle_f1_of(&rank(scores, labels)?)
}

pub(crate) fn oracle_f1_of<P: Positive>(ranking: &Ranking<P>) -> Result<OracleF1, MetricError> {
    let mut best = BestF1::default();
    ranking.walk(|step| best.add(step, ranking.anomalous(), ranking.normal()));
    OracleF1::new(&best)
}

impl OracleF1 {
    pub(crate) fn new(best: &BestF1) -> Result<Self, MetricError> {
        let (threshold, confusion) = best.best().ok_or(MetricError::Empty)?;
        Ok(Self {
            f1: confusion.f1()?,
            threshold,
            confusion,
        })
    }
}

/// A part of the area under the ROC curve, in three scales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PartialAuroc {
    /// The area itself, in \[0, max_fpr\].
    pub area: f64,
    /// The area divided by `max_fpr`: the mean sensitivity over those false-positive rates, in \[0, 1\].
    pub normalised: f64,
    /// McClish's scale, on which chance is 0.5 and a perfect ranking 1; below 0.5 for worse than chance.
    pub standardised: f64,
}

/// Area under the ROC curve over false-positive rates from 0 to `max_fpr`, in (0, 1\].
///
/// `integral of TPR(x) dx for x in [0, max_fpr]`, linear between the points of the curve and up to the limit.
/// With a = max_fpr, McClish's scale is `(1 + (area - a^2/2) / (a - a^2/2)) / 2`.
///
/// Sources: McClish, Medical Decision Making 9 (1989); `standardised` equals scikit-learn's
/// `roc_auc_score(..., max_fpr=a)`.
///
/// # Errors
/// Those of [`auroc`], and [`MetricError::InvalidParameter`] for the limit.
///
/// ```
/// let part = ckaad_metrics::partial_auroc(&[0.1_f32, 0.5, 0.25, 0.75], &[false, false, true, true], 0.5)?;
/// assert_eq!((part.area, part.normalised), (0.25, 0.5));
/// assert!((part.standardised - 2.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn partial_auroc<S: Score>(
    scores: &[S],
    labels: &[bool],
    max_fpr: f64,
) -> Result<PartialAuroc, MetricError> {
    check_share("max_fpr", max_fpr)?;
    let ranking = rank(scores, labels)?;
    let mut curve = LimitedArea::new(max_fpr, ranking.normal());
    ranking.walk(|step| curve.add(step, step.tp_through() as f64 / ranking.anomalous() as f64));
    let (normalised, _) = curve.finish();
    let area = normalised * max_fpr;
    let chance = max_fpr * max_fpr / 2.0;
    Ok(PartialAuroc {
        area,
        normalised,
        standardised: 0.5 * (1.0 + (area - chance) / (max_fpr - chance)),
    })
}

/// Refuses a rate outside (0, 1].
pub(crate) fn check_share(name: &'static str, value: f64) -> Result<(), MetricError> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(MetricError::InvalidParameter {
        name,
        value,
        expected: "greater than 0 and at most 1",
    })
}
