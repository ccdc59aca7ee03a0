//! The controls among the detectors: what images give away without any network.

use ckaad_data::{CONTROLS, Controls, ImageStore, Reading};
use ckaad_metrics::{auroc, distinguishable};
use serde::{Deserialize, Serialize};

use super::verdict::{Ranking, can_tell};
use crate::EngineError;

/// How the scores of a control become scores of anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The higher, the more anomalous.
    Higher,
    /// The lower, the more anomalous.
    Lower,
    /// The farther from the mean of normal training images, the more anomalous.
    Farther,
}

impl Direction {
    fn apply(self, scores: &[f64]) -> Vec<f64> {
        let turn = |score: &f64| match self {
            Self::Higher => *score,
            Self::Lower => -score,
            Self::Farther => score.abs(),
        };
        scores.iter().map(turn).collect()
    }
}

/// The figures of a control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlFigures {
    /// Its name.
    pub name: String,
    /// Chosen as the one with the highest AUROC on the training images, normal ones against labelled ones; without labelled ones on the
    /// validation images; where these are of one kind `farther`. Thumbnails have a direction.
    pub direction: Direction,
    /// On the validation images.
    pub validation: Option<Ranking>,
    /// On the test images.
    pub test: Option<Ranking>,
}

/// A part of the images, and which of them are anomalous.
pub(super) struct Part<'a> {
    pub(super) images: &'a ImageStore,
    pub(super) labels: &'a [bool],
}

/// Every control on validation and test images: its figures, and its validation scores.
pub(super) fn control_figures(
    normal: &ImageStore,
    labelled: Option<&ImageStore>,
    [validation, test]: [Part<'_>; 2],
    reading: Reading,
) -> Result<Vec<(ControlFigures, Vec<f64>)>, EngineError> {
    let controls = Controls::new(normal, reading);
    let of_training = labelled.map(|labelled| {
        let [normal, labelled] = [normal, labelled].map(|images| controls.scores(images));
        let mut labels = vec![false; normal[0].len()];
        labels.resize(labels.len() + labelled[0].len(), true);
        let mut pairs = normal.into_iter().zip(labelled);
        let scores =
            [0; CONTROLS.len()].map(|_| pairs.next().map_or(Vec::new(), |(a, b)| [a, b].concat()));
        (scores, labels)
    });
    let scores = [&validation, &test].map(|part| controls.scores(part.images));
    let figures = |(of, name): (usize, &str)| {
        let direction = match (&of_training, of) {
            (_, 0) => Direction::Higher,
            (Some((scores, labels)), _) => best(&scores[of], labels),
            (None, _) => best(&scores[0][of], validation.labels),
        };
        let [on_validation, on_test] = [0, 1].map(|part| direction.apply(&scores[part][of]));
        let figures = ControlFigures {
            name: name.to_owned(),
            direction,
            validation: Ranking::of(&on_validation, validation.labels)?,
            test: Ranking::of(&on_test, test.labels)?,
        };
        Ok((figures, on_validation))
    };
    CONTROLS.into_iter().enumerate().map(figures).collect()
}

/// The direction that ranks these images best.
fn best(scores: &[f64], labels: &[bool]) -> Direction {
    let mut best = (Direction::Farther, f64::NEG_INFINITY);
    for direction in [Direction::Farther, Direction::Higher, Direction::Lower] {
        if let Ok(auroc) = auroc(&direction.apply(scores), labels)
            && auroc > best.1
        {
            best = (direction, auroc);
        }
    }
    best.0
}

/// The best of the controls that a detector does not clearly beat on validation; none where there are too few images to tell.
pub(super) fn not_above(
    scores: &[f64],
    labels: &[bool],
    controls: &[(ControlFigures, Vec<f64>)],
) -> Result<Option<String>, EngineError> {
    let mut found: Option<(f64, &str)> = None;
    if can_tell(labels) {
        let own = Ranking::of(scores, labels)?.map_or(0.0, |ranking| ranking.auroc);
        for (figures, of_control) in controls {
            let auroc = figures.validation.map_or(0.0, |ranking| ranking.auroc);
            let beaten = own > auroc && distinguishable(scores, of_control, labels)?;
            if !beaten && found.is_none_or(|(most, _)| auroc > most) {
                found = Some((auroc, &figures.name));
            }
        }
    }
    Ok(found.map(|(_, name)| name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_the_one_that_ranks_best() {
        let labels = [false, false, true, true];
        assert_eq!(best(&[-3.0, -2.0, 1.0, 2.0], &labels), Direction::Higher);
        assert_eq!(best(&[3.0, 2.0, -1.0, -2.0], &labels), Direction::Lower);
        assert_eq!(best(&[0.0, 0.1, -3.0, 3.0], &labels), Direction::Farther);
        assert_eq!(best(&[1.0, 2.0], &[false, false]), Direction::Farther);
    }
}
