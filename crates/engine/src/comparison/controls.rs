//! The controls among the detectors: what images give away without any network.

use ckaad_data::{CONTROLS, Controls, ImageStore, Reading};
use ckaad_metrics::{auroc, distinguishable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::{Ranking, can_tell};
use crate::EngineError;

/// How the scores of a control become scores of anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
pub(crate) struct Part<'a> {
    pub(crate) images: &'a ImageStore,
    pub(crate) labels: &'a [bool],
}

/// A control on validation and test images.
pub(crate) struct Control {
    pub(crate) figures: ControlFigures,
    /// Its scores of the validation images, and of the test images.
    pub(crate) scores: [Vec<f64>; 2],
}

/// Every control on validation and test images.
pub(crate) fn controls(
    normal: &ImageStore,
    labelled: Option<&ImageStore>,
    [validation, test]: [Part<'_>; 2],
    reading: Reading,
) -> Result<Vec<Control>, EngineError> {
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
    let control = |(of, name): (usize, &str)| {
        let direction = match (&of_training, of) {
            (_, 0) => Direction::Higher,
            (Some((scores, labels)), _) => best(&scores[of], labels),
            (None, _) => best(&scores[0][of], validation.labels),
        };
        let scores = [0, 1].map(|part| direction.apply(&scores[part][of]));
        let figures = ControlFigures {
            name: name.to_owned(),
            direction,
            validation: Ranking::of(&scores[0], validation.labels)?,
            test: Ranking::of(&scores[1], test.labels)?,
        };
        Ok(Control { figures, scores })
    };
    CONTROLS.into_iter().enumerate().map(control).collect()
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

/// Images that a detector and the controls are compared on.
#[derive(Clone, Copy)]
pub(crate) enum On {
    Validation,
    Test,
}

/// The best of the controls that a detector does not clearly beat on some images; none where there are too few of them to tell.
pub(crate) fn not_above(
    scores: &[f64],
    labels: &[bool],
    controls: &[Control],
    on: On,
) -> Result<Option<String>, EngineError> {
    let mut found: Option<(f64, &str)> = None;
    if can_tell(labels) {
        let own = auroc(scores, labels)?;
        for control in controls {
            let of_control = &control.scores[on as usize];
            let of = auroc(of_control, labels)?;
            let beaten = own > of && distinguishable(scores, of_control, labels)?;
            if !beaten && found.is_none_or(|(most, _)| of > most) {
                found = Some((of, &control.figures.name));
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
