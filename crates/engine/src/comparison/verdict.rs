//! What validation says of scores: which is best, what cannot be told from it, what a control does as well.

use ckaad_metrics::{auroc, auroc_delong, distinguishable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// Images of each kind from which on validation may tell detectors apart.
pub(super) const ENOUGH: usize = 10;

/// An AUROC and its 95 % confidence interval by DeLong's method; none for a perfect ranking or a single image of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Ranking {
    pub auroc: f64,
    pub interval: Option<[f64; 2]>,
}

impl Ranking {
    /// `None` unless there are images of both kinds.
    pub(super) fn of(scores: &[f64], labels: &[bool]) -> Result<Option<Self>, EngineError> {
        if !(labels.contains(&true) && labels.contains(&false)) {
            return Ok(None);
        }
        let interval = auroc_delong(scores, labels, 0.95).ok();
        Ok(Some(Self {
            auroc: auroc(scores, labels)?,
            interval: interval.map(|interval| [interval.low, interval.high]),
        }))
    }
}

/// Whether there are enough images of both kinds to tell rankings apart.
pub(super) fn can_tell(labels: &[bool]) -> bool {
    let anomalous = labels.iter().filter(|&&label| label).count();
    anomalous >= ENOUGH && labels.len() - anomalous >= ENOUGH
}

/// Which of several detectors to take, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The recommended detector.
    pub detector: String,
    /// Those that validation cannot tell from the best one, the best one first.
    pub not_distinguishable: Vec<String>,
    /// The reasons, in sentences.
    pub reason: String,
}

/// Recommends by the validation scores alone. `detectors` come in the order of preference.
pub(super) fn recommend(
    detectors: &[(&str, &[f64])],
    labels: &[bool],
) -> Result<Option<Verdict>, EngineError> {
    let Some((preferred, _)) = detectors.first() else {
        return Ok(None);
    };
    if !can_tell(labels) {
        let anomalous = labels.iter().filter(|&&label| label).count();
        let normal = labels.len() - anomalous;
        return Ok(Some(Verdict {
            detector: (*preferred).to_owned(),
            not_distinguishable: detectors
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            reason: format!(
                "{normal} normal and {anomalous} anomalous validation images are too few to tell detectors apart ({ENOUGH} of each are needed); \
                 {preferred} comes first in the order of preference, simple and fast systems before others"
            ),
        }));
    }
    let mut best: Option<(f64, &str, &[f64])> = None;
    for &(name, scores) in detectors {
        let auroc = auroc(scores, labels)?;
        if best.is_none_or(|(most, _, _)| auroc > most) {
            best = Some((auroc, name, scores));
        }
    }
    let Some((most, best, of_best)) = best else {
        return Ok(None);
    };
    let (mut group, mut chosen) = (vec![best.to_owned()], None);
    for &(name, scores) in detectors {
        if name == best || !distinguishable(of_best, scores, labels)? {
            chosen = chosen.or(Some(name));
            if name != best {
                group.push(name.to_owned());
            }
        }
    }
    let chosen = chosen.unwrap_or(best);
    let percent = 100.0 * most;
    let reason = match group.as_slice() {
        [_] => format!(
            "{best} ranks the validation images better than every other (AUROC {percent:.1} %, DeLong's paired test, p < 0.05)"
        ),
        [_, others @ ..] => format!(
            "{best} has the highest validation AUROC ({percent:.1} %), not distinguishable from {} (DeLong's paired test, p >= 0.05); of \
             these {chosen} comes first in the order of preference, simple and fast systems before others",
            others.join(", ")
        ),
        [] => String::new(),
    };
    Ok(Some(Verdict {
        detector: chosen.to_owned(),
        not_distinguishable: group,
        reason,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn labels(of_each: usize) -> Vec<bool> {
        (0..2 * of_each).map(|index| index >= of_each).collect()
    }

    fn ranked(of_each: usize, wrong: usize) -> Vec<f64> {
        let rank = |index: usize| if index < wrong { 3 * of_each } else { index };
        (0..2 * of_each).map(|index| rank(index) as f64).collect()
    }

    #[test]
    fn what_is_not_distinguishable_is_decided_by_preference() {
        let labels = labels(20);
        let (perfect, near, far) = (ranked(20, 0), ranked(20, 1), ranked(20, 15));
        let found = recommend(
            &[("near", &near), ("far", &far), ("best", &perfect)],
            &labels,
        );
        let found = found.unwrap().unwrap();
        assert_eq!(found.detector, "near");
        assert_eq!(found.not_distinguishable, ["best", "near"]);
        let found = recommend(&[("far", &far), ("best", &perfect)], &labels);
        let found = found.unwrap().unwrap();
        assert_eq!(
            (found.detector.as_str(), found.not_distinguishable.len()),
            ("best", 1)
        );
        let found = recommend(&[("one", &perfect), ("two", &perfect)], &labels);
        assert_eq!(found.unwrap().unwrap().not_distinguishable.len(), 2);
    }

    #[test]
    fn too_few_images_tell_nothing() {
        let labels = labels(4);
        let (perfect, far) = (ranked(4, 0), ranked(4, 4));
        let found = recommend(&[("far", &far), ("best", &perfect)], &labels);
        let found = found.unwrap().unwrap();
        assert_eq!(found.detector, "far");
        assert!(found.reason.contains("too few"), "{}", found.reason);
    }
}
