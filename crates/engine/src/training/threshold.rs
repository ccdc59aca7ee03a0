use ckaad_metrics::{Calibration, Confusion, ThresholdRule, auroc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// False positives accepted where only normal validation images are there to choose a threshold on.
const TARGET_FPR: f64 = 0.05;
/// Validation images of each kind from which on they may raise a calibrated threshold.
const ENOUGH: usize = 10;

/// The score from which on an image counts as anomalous, and how it was chosen. Never from test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// Images with this score or a higher one are anomalous.
    pub value: f64,
    /// How it was chosen.
    pub rule: String,
    /// The largest probability that a new normal image is flagged, if held-out normal images promise one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<f64>,
}

/// Scores of validation images, and whether each is anomalous.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Validation<'a> {
    pub(crate) scores: &'a [f64],
    pub(crate) labels: &'a [bool],
}

impl Validation<'_> {
    fn count(&self, anomalous: bool) -> usize {
        self.labels
            .iter()
            .filter(|&&label| label == anomalous)
            .count()
    }

    /// Whether the ranking is the wrong way round, and so must choose nothing.
    fn is_reversed(&self) -> bool {
        auroc(self.scores, self.labels).is_ok_and(|auroc| auroc < 0.5)
    }
}

impl Threshold {
    /// Chooses what flags a new normal image with a probability of at most `alpha`, as the held-out images `calibration` promise
    /// it, or with the least probability that so many can promise. Validation images of both kinds, where there are enough,
    /// can only raise it: to the highest F1 within the promise.
    pub(crate) fn calibrated(
        calibration: &Calibration,
        alpha: f64,
        validation: Option<Validation<'_>>,
    ) -> Result<Self, EngineError> {
        let promised = calibration.threshold(alpha)?;
        let (percent, held_out) = (100.0 * promised.rate, calibration.len());
        let mut rule = format!(
            "at most {percent:.1} % of normal images are flagged, by {held_out} held-out ones"
        );
        if promised.rate > alpha {
            rule += ": the least that so few can promise";
        }
        let mut value = promised.value;
        let enough = |validation: &Validation<'_>| {
            validation.count(false) >= ENOUGH && validation.count(true) >= ENOUGH
        };
        if let Some(validation) = validation.filter(enough)
            && !validation.is_reversed()
        {
            let mut best = 0.0;
            let higher = validation
                .scores
                .iter()
                .copied()
                .filter(|&score| score > value);
            let mut candidates: Vec<f64> = std::iter::once(value).chain(higher).collect();
            candidates.sort_unstable_by(f64::total_cmp);
            for candidate in candidates {
                let at = Confusion::at_threshold(validation.scores, validation.labels, candidate)?;
                let f1 = at.f1().unwrap_or(0.0);
                if f1 > best {
                    best = f1;
                    value = candidate;
                }
            }
            if value > promised.value {
                rule += "; raised to the highest F1 on the validation images";
            }
        }
        Ok(Self {
            value,
            rule,
            promise: Some(promised.rate),
        })
    }

    /// Chooses on validation images: highest F1 if there are anomalous ones, else 5 % false positives. Where the highest F1
    /// leaves a gap between two scores, the threshold is in its middle: with few images its ends are too far to either side.
    pub(crate) fn on_validation(
        Validation { scores, labels }: Validation<'_>,
    ) -> Result<Self, EngineError> {
        let both = labels.contains(&true) && labels.contains(&false);
        if !both {
            return Ok(Self {
                value: ThresholdRule::TargetFpr(TARGET_FPR).fit(scores, labels)?,
                rule: "5 % false positives on normal validation images".to_owned(),
                promise: None,
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
            promise: None,
        })
    }

    /// Chooses on normal training images: just above the highest score. Too low rather than too high, since these images
    /// were trained on.
    pub(crate) fn on_training(scores: &[f64]) -> Result<Self, EngineError> {
        let labels = vec![false; scores.len()];
        Ok(Self {
            value: ThresholdRule::TargetFpr(0.0).fit(scores, &labels)?,
            rule: "above every normal training image looked at (no validation images)".to_owned(),
            promise: None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_threshold_is_in_the_middle_of_the_gap() {
        let on = |scores, labels| Threshold::on_validation(Validation { scores, labels }).unwrap();
        let threshold = on(&[1.0, 2.0, 4.0, 5.0], &[false, false, true, true]);
        assert_eq!(threshold.value, 3.0);
        let threshold = on(&[4.0, 5.0], &[true, false]);
        assert_eq!(threshold.value, 4.0);
    }

    #[test]
    fn normal_images_alone_bound_false_positives() {
        let scores: Vec<f64> = (0..40).map(f64::from).collect();
        let labels = [false; 40];
        let threshold = Threshold::on_validation(Validation {
            scores: &scores,
            labels: &labels,
        })
        .unwrap();
        assert_eq!(
            scores
                .iter()
                .filter(|&&score| score >= threshold.value)
                .count(),
            2
        );
    }

    #[test]
    fn a_promise_is_kept_or_the_least_is_given() {
        let scores: Vec<f64> = (0..39).map(f64::from).collect();
        let calibration = Calibration::new(&scores).unwrap();
        let at = Threshold::calibrated(&calibration, 0.05, None).unwrap();
        assert_eq!((at.value, at.promise), (37.0_f64.next_up(), Some(0.05)));
        let few = Calibration::new(&scores[..7]).unwrap();
        let at = Threshold::calibrated(&few, 0.05, None).unwrap();
        assert_eq!((at.value, at.promise), (6.0_f64.next_up(), Some(0.125)));
        assert!(
            at.rule.contains("the least that so few can promise"),
            "{}",
            at.rule
        );
    }

    #[test]
    fn validation_raises_a_promised_threshold_and_never_lowers_it() {
        let scores: Vec<f64> = (0..39).map(f64::from).collect();
        let calibration = Calibration::new(&scores).unwrap();
        let labels: Vec<bool> = (0..20).map(|index| index >= 10).collect();
        let value = |low: f64, high: f64| {
            let scores: Vec<f64> = labels
                .iter()
                .map(|&label| if label { high } else { low })
                .collect();
            let validation = Validation {
                scores: &scores,
                labels: &labels,
            };
            Threshold::calibrated(&calibration, 0.05, Some(validation))
                .unwrap()
                .value
        };
        let promised = 37.0_f64.next_up();
        assert_eq!(value(40.0, 50.0), 50.0);
        assert_eq!(
            value(1.0, 2.0),
            promised,
            "lower thresholds break the promise"
        );
        assert_eq!(
            value(50.0, 40.0),
            promised,
            "a ranking the wrong way round chooses nothing"
        );
    }
}
