//! Curves of rankings, without the points that no eye can tell apart.

use ckaad_metrics::{MetricError, precision_recall_curve, roc_curve};

/// Points nearer to the last one than this in both directions are left out.
const STEP: f64 = 0.001;

/// False-positive rate, true-positive rate: from (0, 0) to (1, 1).
pub(crate) fn roc(scores: &[f64], labels: &[bool]) -> Result<Vec<[f64; 2]>, MetricError> {
    let curve = roc_curve(scores, labels)?;
    let points = curve.fpr.iter().zip(&curve.tpr);
    Ok(thinned(points.map(|(fpr, tpr)| [*fpr, *tpr]).collect()))
}

/// Recall, precision: by rising recall.
pub(crate) fn precision_recall(
    scores: &[f64],
    labels: &[bool],
) -> Result<Vec<[f64; 2]>, MetricError> {
    let curve = precision_recall_curve(scores, labels)?;
    let mut points: Vec<[f64; 2]> = curve
        .recall
        .iter()
        .zip(&curve.precision)
        .map(|(recall, precision)| [*recall, *precision])
        .collect();
    points.reverse();
    Ok(thinned(points))
}

fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let last = points.len().saturating_sub(1);
    let mut kept: Vec<[f64; 2]> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let near = kept.last().is_some_and(|kept| {
            (kept[0] - point[0]).abs() < STEP && (kept[1] - point[1]).abs() < STEP
        });
        // In the middle of a straight line a point says nothing.
        let straight = index < last
            && kept.last().is_some_and(|before| {
                let after = points[index + 1];
                (0..2).any(|axis| before[axis] == point[axis] && point[axis] == after[axis])
            });
        if index == last || !(near || straight) {
            kept.push(*point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn curves_keep_their_ends_and_corners() {
        let scores: Vec<f64> = (0..5000).map(f64::from).collect();
        let labels: Vec<bool> = (0..5000).map(|index| index >= 2500).collect();
        assert_eq!(
            roc(&scores, &labels).unwrap(),
            [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
        );
        let mixed: Vec<bool> = (0..5000).map(|index| index % 2 == 0).collect();
        let curve = roc(&scores, &mixed).unwrap();
        assert!(curve.len() < 2500, "{}", curve.len());
        assert_eq!((curve[0], curve[curve.len() - 1]), ([0.0, 0.0], [1.0, 1.0]));
        assert!(precision_recall(&scores, &[true; 5000]).is_err());
    }
}
