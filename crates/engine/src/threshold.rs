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
    /// Chooses on validation images: highest F1 if there are anomalous ones, else 5 % false positives.
    pub(crate) fn on_validation(scores: &[f64], labels: &[bool]) -> Result<Self, EngineError> {
        let both = labels.iter().any(|&label| label) && labels.iter().any(|&label| !label);
        let (rule, text) = if both {
            (ThresholdRule::MaxF1, "highest F1 on the validation images")
        } else {
            (
                ThresholdRule::TargetFpr(TARGET_FPR),
                "5 % false positives on normal validation images",
            )
        };
        Ok(Self {
            value: rule.fit(scores, labels)?,
            rule: text.to_owned(),
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
