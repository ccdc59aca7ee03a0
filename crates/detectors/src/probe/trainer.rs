use super::Settings;
use super::detector::{ProbeDetector, Rule};
use super::logistic::Problem;
use crate::error::both_kinds;
use crate::samples::{Samples, Standard};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

const RULE: [&str; 4] = ["mean", "deviation", "weights", "offset"];

/// Keeps the pooled features of all images until the pass is over, then the rule that tells them apart.
pub(super) struct ProbeTrainer {
    settings: Settings,
    /// Of the features of an image.
    shapes: Vec<[usize; 3]>,
    image_size: usize,
    samples: Samples,
    learned: Option<Rule>,
}

impl ProbeTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            samples: Samples::new(&settings.pooling, setup),
            settings,
            shapes: setup.shapes(),
            image_size: setup.image_size,
            learned: None,
        }
    }
}

impl Trainer for ProbeTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        self.samples.add(normal, anomalous);
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if self.learned.is_some() {
            return Ok(());
        }
        both_kinds("probe", self.samples.classes.each_ref().map(Vec::len))?;
        let standard = self.samples.standardise();
        let [normal, anomalous] = &self.samples.classes;
        let problem = Problem {
            classes: [normal, anomalous],
            cost: self.settings.cost,
        };
        let solution = problem.solve();
        self.learned = Some(Rule {
            standard,
            weights: solution.weights.into_iter().map(|x| x as f32).collect(),
            offset: solution.offset as f32,
        });
        self.samples.classes = Default::default();
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let Some(rule) = self.learned.clone() else {
            panic!("nothing is learned before the pass is over");
        };
        let detector = ProbeDetector::new(&self.settings, &self.shapes, self.image_size, rule);
        Box::new(detector)
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.samples.save(&mut state);
        if let Some(rule) = &self.learned {
            let offset = [rule.offset];
            let Standard { mean, deviation } = &rule.standard;
            let parts = [mean, deviation, &rule.weights, &offset[..]];
            for (name, values) in RULE.into_iter().zip(parts) {
                state.insert_values(name, values);
            }
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.samples.restore(&mut state)?;
        self.learned = None;
        if state.0.contains_key(RULE[0]) {
            let features = self.samples.features;
            let mut take = |name: &str, length: usize| {
                let values = state.take_values(name)?;
                fits(values.len() == length, name).map(|()| values)
            };
            self.learned = Some(Rule {
                standard: Standard {
                    mean: take(RULE[0], features)?,
                    deviation: take(RULE[1], features)?,
                },
                weights: take(RULE[2], features)?,
                offset: take(RULE[3], 1)?[0],
            });
        }
        Ok(())
    }
}
