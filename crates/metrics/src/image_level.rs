//! Figures of labelled scores, one score per image (or per pixel: nothing here knows the difference).

use crate::confusion::Confusion;
use crate::error::MetricError;
use crate::ranking::{Positive, Ranking, rank};
use crate::score::Score;
use crate::sweep::{BestF1, LimitedArea, PrecisionArea, RocArea};

/// Area under the ROC curve.
pub fn auroc<S: Score>(scores: &[S], labels: &[bool]) -> Result<f64, MetricError> {
    Ok(auroc_of(&rank(scores, labels)?))
}

pub(crate) fn auroc_of<P: Positive>(ranking: &Ranking<P>) -> f64 {
    let mut area = RocArea::default();
    ranking.walk(|step| area.add(step, ranking.normal()));
    area.value(ranking.anomalous(), ranking.normal())
}

/// Average precision.
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
    /// The highest F1, in (0, 1].
    pub f1: f64,
    /// The threshold: a score of the set, in its units.
    pub threshold: f64,
    /// Decisions at that threshold.
    pub confusion: Confusion,
}

/// F1-max.
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
    /// The area divided by `max_fpr`, in \[0, 1\].
    pub normalised: f64,
    /// McClish's scale, on which chance is 0.5 and a perfect ranking 1.
    pub standardised: f64,
}

/// Area under the ROC curve over false-positive rates from 0 to `max_fpr`.
pub fn partial_auroc<S: Score>(
    scores: &[S],
    labels: &[bool],
    max_fpr: f64,
) -> Result<PartialAuroc, MetricError> {
    check_limit("max_fpr", max_fpr)?;
    let ranking = rank(scores, labels)?;
    let mut area = LimitedArea::new(max_fpr, ranking.normal());
    ranking.walk(|step| area.add(step, step.tp_through() as f64 / ranking.anomalous() as f64));
    let (normalised, _) = area.finish();
    let area = normalised * max_fpr;
    let chance = max_fpr * max_fpr / 2.0;
    Ok(PartialAuroc {
        area,
        normalised,
        standardised: 0.5 * (1.0 + (area - chance) / (max_fpr - chance)),
    })
}

/// Refuses a limit of the false-positive rate outside (0, 1].
pub(crate) fn check_limit(name: &'static str, value: f64) -> Result<(), MetricError> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(MetricError::InvalidParameter {
        name,
        value,
        expected: "greater than 0 and at most 1",
    })
}
