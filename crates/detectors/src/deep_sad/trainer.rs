use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::detector::{DeepSadDetector, shapes};
use super::{Encoder, Label, Learner, Settings};
use crate::samples::Samples;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// Samples of a step.
const BATCH: usize = 128;
/// Fewer images have no spread.
const LEAST_IMAGES: usize = 2;

/// Keeps the pooled features of all images until the pass is over, then the network that learned from them.
pub(super) struct DeepSadTrainer {
    settings: Settings,
    seed: u64,
    widths: Vec<usize>,
    samples: Samples,
    learned: Option<DeepSadDetector>,
}

impl DeepSadTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            samples: Samples::new(&settings.pooling, setup),
            widths: settings.widths(setup.backbone.config()),
            settings,
            seed: setup.seed,
            learned: None,
        }
    }

    fn learn(&mut self) -> DeepSadDetector {
        let standard = self.samples.standardise();
        let labels = [Label::Unlabelled, Label::Anomalous];
        let of_class = |(class, label): (&Vec<Vec<f32>>, _)| -> Vec<(Vec<f32>, Label)> {
            class.iter().map(|sample| (sample.clone(), label)).collect()
        };
        let mut samples = self
            .samples
            .classes
            .iter()
            .zip(labels)
            .flat_map(of_class)
            .collect::<Vec<_>>();
        let join = |samples: &[(Vec<f32>, Label)]| -> Vec<f64> {
            let all = samples.iter().flat_map(|(sample, _)| sample);
            all.copied().map(f64::from).collect()
        };
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let encoder = Encoder::random(self.widths.clone(), &mut random);
        let mut learner = Learner::new(encoder, &join(&samples), self.settings.eta);
        for round in 0..self.settings.rounds {
            let late = round >= self.settings.rounds.div_ceil(3);
            let rate = self.settings.learning_rate * if late { 0.1 } else { 1.0 };
            samples.shuffle(&mut random);
            // What is left over of a batch has to wait for the next round.
            for batch in samples.chunks_exact(BATCH.min(samples.len())) {
                let labels: Vec<Label> = batch.iter().map(|(_, label)| *label).collect();
                learner.step(&join(batch), &labels, rate);
            }
        }
        DeepSadDetector::learned(&self.settings, standard, learner)
    }
}

impl Trainer for DeepSadTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        self.samples.add(normal, anomalous);
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        let found = self.samples.classes[0].len();
        if self.learned.is_none() {
            if found < LEAST_IMAGES {
                return Err(DetectorError::Images {
                    system: "deep-sad",
                    least: LEAST_IMAGES,
                    found,
                });
            }
            self.learned = Some(self.learn());
            self.samples.classes = Default::default();
        }
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let Some(detector) = self.learned.clone() else {
            panic!("nothing is learned before the pass is over");
        };
        Box::new(detector)
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.samples.save(&mut state);
        if let Some(learned) = &self.learned {
            state.insert_parameters(&learned.parameters());
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.samples.restore(&mut state)?;
        self.learned = None;
        if !state.0.is_empty() {
            let parameters = state.take_parameters(shapes(&self.widths))?;
            let widths = self.widths.clone();
            self.learned = Some(DeepSadDetector::of(&self.settings, widths, parameters));
        }
        Ok(())
    }
}
