use super::Settings;
use super::detector::{ProbeDetector, Rule};
use super::logistic::Problem;
use super::pooled::pooled;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// Normal images, then anomalous ones.
const CLASSES: [&str; 2] = ["normal", "anomalous"];
const RULE: [&str; 4] = ["mean", "deviation", "weights", "offset"];

/// Keeps the pooled features of all images until the pass is over, then the rule that tells them apart.
pub(super) struct ProbeTrainer {
    settings: Settings,
    /// Of the features of an image.
    shapes: Vec<[usize; 3]>,
    image_size: usize,
    features: usize,
    classes: [Vec<Vec<f32>>; 2],
    learned: Option<Rule>,
}

impl ProbeTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            features: settings.features(setup.backbone.config()),
            settings,
            shapes: setup.shapes(),
            image_size: setup.image_size,
            classes: Default::default(),
            learned: None,
        }
    }
}

impl Trainer for ProbeTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        for (class, inputs) in self.classes.iter_mut().zip([Some(normal), anomalous]) {
            if let Some(inputs) = inputs {
                class.extend(pooled(inputs, &self.settings.pooling));
            }
        }
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if self.learned.is_some() {
            return Ok(());
        }
        let [normal, anomalous] = &mut self.classes;
        if normal.is_empty() {
            return Err(DetectorError::Images {
                system: "probe",
                least: 1,
                found: 0,
            });
        }
        if anomalous.is_empty() {
            return Err(DetectorError::NoAnomalies { system: "probe" });
        }
        let [mean, deviation] = mean_and_deviation(normal, self.features);
        for sample in normal.iter_mut().chain(anomalous.iter_mut()) {
            for ((x, mean), deviation) in sample.iter_mut().zip(&mean).zip(&deviation) {
                *x = (*x - mean) / deviation;
            }
        }
        let problem = Problem {
            classes: [normal, anomalous],
            cost: self.settings.cost,
        };
        let solution = problem.solve();
        self.learned = Some(Rule {
            mean,
            deviation,
            weights: solution.weights.into_iter().map(|x| x as f32).collect(),
            offset: solution.offset as f32,
        });
        self.classes = Default::default();
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
        for (name, class) in CLASSES.into_iter().zip(&self.classes) {
            state.insert_values(name, &class.concat());
        }
        if let Some(rule) = &self.learned {
            let offset = [rule.offset];
            let parts = [&rule.mean, &rule.deviation, &rule.weights, &offset[..]];
            for (name, values) in RULE.into_iter().zip(parts) {
                state.insert_values(name, values);
            }
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        for (name, class) in CLASSES.into_iter().zip(&mut self.classes) {
            let values = state.take_values(name)?;
            let samples = values.chunks_exact(self.features);
            fits(samples.remainder().is_empty(), name)?;
            *class = samples.map(<[f32]>::to_vec).collect();
        }
        self.learned = None;
        if state.0.contains_key(RULE[0]) {
            let mut take = |name: &str, length: usize| {
                let values = state.take_values(name)?;
                fits(values.len() == length, name).map(|()| values)
            };
            self.learned = Some(Rule {
                mean: take(RULE[0], self.features)?,
                deviation: take(RULE[1], self.features)?,
                weights: take(RULE[2], self.features)?,
                offset: take(RULE[3], 1)?[0],
            });
        }
        Ok(())
    }
}

/// Of every feature; a deviation of 0 counts as 1.
fn mean_and_deviation(samples: &[Vec<f32>], features: usize) -> [Vec<f32>; 2] {
    let count = samples.len() as f64;
    let mut mean = vec![0.0; features];
    let mut square = vec![0.0; features];
    for sample in samples {
        for (mean, x) in mean.iter_mut().zip(sample) {
            *mean += f64::from(*x) / count;
        }
    }
    for sample in samples {
        for ((square, mean), x) in square.iter_mut().zip(&mean).zip(sample) {
            *square += (f64::from(*x) - mean).powi(2) / count;
        }
    }
    let deviation = square.iter().map(|square| match square.sqrt() as f32 {
        0.0 => 1.0,
        deviation => deviation,
    });
    let deviation = deviation.collect();
    [
        mean.into_iter().map(|mean| mean as f32).collect(),
        deviation,
    ]
}
