use ckaad_metrics::ThresholdRule;
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// False positives accepted where only normal images are there to choose a threshold on.
const TARGET_FPR: f64 = 0.05;

/// The score from which on an image counts as anomalous, and how it was chosen. Never from test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Images with this score or a higher one are anomalous.
    pub value: f64,
    /// How it was chosen.
    pub rule: String,
}

impl Threshold {
    /// Chooses on validation images: highest F1 if there are anomalous ones, else 5 % false positives. Where the highest F1
    /// leaves a gap between two scores, the threshold is in its middle: with few images its ends are too far to either side.
    pub(crate) fn on_validation(scores: &[f64], labels: &[bool]) -> Result<Self, EngineError> {
        let both = labels.contains(&true) && labels.contains(&false);
        if !both {
            return Ok(Self {
                value: ThresholdRule::TargetFpr(TARGET_FPR).fit(scores, labels)?,
                rule: "5 % false positives on normal validation images".to_owned(),
            });
        }
        let lowest_flagged = ThresholdRule::MaxF1.fit(scores, labels)?;
        let below = scores
            .iter()
            .copied()
            .filter(|&score| score < lowest_flagged);
        let highest_passed = below.fold(f64::NEG_INFINITY, f64::max);
        let value = if highest_passed.is_finite() {
            f64::midpoint(highest_passed, lowest_flagged)
        } else {
            lowest_flagged
        };
        Ok(Self {
            value,
            rule: "highest F1 on the validation images".to_owned(),
        })
    }

    /// Chooses on normal training images: just above the highest score. Too low rather than too high, since these images
    /// were trained on.
    pub(crate) fn on_training(scores: &[f64]) -> Result<Self, EngineError> {
        let labels = vec![false; scores.len()];
        Ok(Self {
            value: ThresholdRule::TargetFpr(0.0).fit(scores, &labels)?,
            rule: "above every normal training image looked at (no validation images)".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_threshold_is_in_the_middle_of_the_gap() {
        let threshold =
            Threshold::on_validation(&[1.0, 2.0, 4.0, 5.0], &[false, false, true, true]).unwrap();
        assert_eq!(threshold.value, 3.0);
        let threshold = Threshold::on_validation(&[4.0, 5.0], &[true, false]).unwrap();
        assert_eq!(threshold.value, 4.0);
    }

    #[test]
    fn normal_images_alone_bound_false_positives() {
        let scores: Vec<f64> = (0..40).map(f64::from).collect();
        let threshold = Threshold::on_validation(&scores, &[false; 40]).unwrap();
        assert_eq!(
            scores
                .iter()
                .filter(|&&score| score >= threshold.value)
                .count(),
            2
        );
    }
}
