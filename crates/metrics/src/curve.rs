//! The curves behind the areas.

use crate::error::MetricError;
use crate::score::{Key, Score, check, check_classes};

/// A ROC curve: one point per distinct score, highest first, after a first point that flags nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// False-positive rates, rising from 0 to 1.
    pub fpr: Vec<f64>,
    /// True-positive rates (sensitivity), rising from 0 to 1.
    pub tpr: Vec<f64>,
    /// Thresholds, falling; the first is infinite. Predicted anomalous means `score >= threshold`.
    pub thresholds: Vec<f64>,
}

/// A precision-recall curve: one point per distinct score, lowest first, then the point (recall 0, precision 1).
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    /// Precision at each threshold; one entry more than `thresholds`.
    pub precision: Vec<f64>,
    /// Recall at each threshold, falling from 1 to 0; one entry more than `thresholds`.
    pub recall: Vec<f64>,
    /// Thresholds, rising. Predicted anomalous means `score >= threshold`.
    pub thresholds: Vec<f64>,
}

/// The ROC curve: true-positive rate over false-positive rate at every distinct score.
///
/// As scikit-learn's `roc_curve` with `drop_intermediate=False`: samples of one score share one point.
///
/// # Errors
/// Those of [`auroc`](crate::auroc).
///
/// ```
/// let curve = ckaad_metrics::roc_curve(&[0.1_f32, 0.5, 0.25, 0.75], &[false, false, true, true])?;
/// assert_eq!(curve.fpr, [0.0, 0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.tpr, [0.0, 0.5, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.thresholds[1..4], [0.75, 0.5, 0.25]);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn roc_curve<S: Score>(scores: &[S], labels: &[bool]) -> Result<RocCurve, MetricError> {
    let points = points(scores, labels)?;
    let (tp, fp) = totals(&points)?;
    let mut curve = RocCurve {
        fpr: vec![0.0],
        tpr: vec![0.0],
        thresholds: vec![f64::INFINITY],
    };
    for point in points {
        curve.fpr.push(point.fp as f64 / fp as f64);
        curve.tpr.push(point.tp as f64 / tp as f64);
        curve.thresholds.push(point.score);
    }
    Ok(curve)
}

/// The precision-recall curve: precision and recall at every distinct score.
///
/// As scikit-learn's `precision_recall_curve`, the final point (0, 1) included.
///
/// # Errors
/// Those of [`auroc`](crate::auroc).
///
/// ```
/// let curve = ckaad_metrics::precision_recall_curve(&[0.1_f32, 0.5, 0.25, 0.75], &[false, false, true, true])?;
/// assert_eq!(curve.precision, [0.5, 2.0 / 3.0, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.recall, [1.0, 1.0, 0.5, 0.5, 0.0]);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn precision_recall_curve<S: Score>(
    scores: &[S],
    labels: &[bool],
) -> Result<PrecisionRecallCurve, MetricError> {
    let points = points(scores, labels)?;
    let (tp, _) = totals(&points)?;
    let mut curve = PrecisionRecallCurve {
        precision: Vec::new(),
        recall: Vec::new(),
        thresholds: Vec::new(),
    };
    for point in points.iter().rev() {
        curve
            .precision
            .push(point.tp as f64 / (point.tp + point.fp) as f64);
        curve.recall.push(point.tp as f64 / tp as f64);
        curve.thresholds.push(point.score);
    }
    curve.precision.push(1.0);
    curve.recall.push(0.0);
    Ok(curve)
}

/// Counts at and above a score.
struct Point {
    score: f64,
    tp: u64,
    fp: u64,
}

/// One point per distinct score, highest first.
fn points<S: Score>(scores: &[S], labels: &[bool]) -> Result<Vec<Point>, MetricError> {
    check(scores, labels)?;
    let mut ranked: Vec<(S::Key, bool)> = scores
        .iter()
        .zip(labels)
        .map(|(s, &label)| (s.key(), label))
        .collect();
    ranked.sort_unstable();
    let (mut tp, mut fp) = (0, 0);
    let points = ranked.chunk_by(|a, b| a.0 == b.0).map(|tied| {
        let anomalous = tied.iter().filter(|(_, label)| *label).count() as u64;
        tp += anomalous;
        fp += tied.len() as u64 - anomalous;
        Point {
            score: tied[0].0.score(),
            tp,
            fp,
        }
    });
    Ok(points.collect())
}

/// Anomalous and normal samples in all; an error unless there are both.
fn totals(points: &[Point]) -> Result<(u64, u64), MetricError> {
    let (tp, fp) = points.last().map_or((0, 0), |point| (point.tp, point.fp));
    check_classes(tp, fp)?;
    Ok((tp, fp))
}
