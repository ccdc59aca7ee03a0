use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::detector::{DevNetDetector, shapes};
use super::{Head, Image, Learner, Settings};
use crate::cycle::Cycle;
use crate::deviation::Reference;
use crate::error::both_kinds;
use crate::kept::Kept;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// Images of either kind in a step.
const BATCH: usize = 24;
/// Steps of a round.
const STEPS: usize = 20;
/// Parts of the training; each has a tenth of the learning rate of the one before.
const PARTS: usize = 5;
/// Normal images, then anomalous ones.
const KINDS: [&str; 2] = ["normal", "anomalous"];

/// Keeps the features of all images until the pass is over, then the heads that learned from them.
pub(super) struct DevNetTrainer {
    settings: Settings,
    seed: u64,
    image_size: usize,
    kinds: [Kept; 2],
    learned: Option<DevNetDetector>,
}

impl DevNetTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            settings,
            seed: setup.seed,
            image_size: setup.image_size,
            kinds: KINDS.map(|_| Kept::new(setup)),
            learned: None,
        }
    }

    /// Weights start uniform in `±1 / sqrt(channels)`, as PyTorch's convolutions.
    fn learn(&self) -> DevNetDetector {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let heads = self.kinds[0].shapes().iter().map(|&[channels, ..]| {
            let bound = (channels as f64).sqrt().recip();
            let mut draw = || random.random_range(-bound..bound);
            Head {
                weights: (0..channels).map(|_| draw()).collect(),
                bias: draw(),
            }
        });
        let heads: Vec<Head> = heads.collect();
        let head_of = (0..heads.len()).collect();
        let mut learner = Learner::new(heads, head_of);
        let mut cycles = self.kinds.each_ref().map(|kind| Cycle::new(kind.len()));
        for round in 0..self.settings.rounds {
            let part = round * PARTS / self.settings.rounds;
            let rate = self.settings.learning_rate * 0.1_f64.powi(part as i32);
            for _ in 0..STEPS {
                let kinds = self.kinds.iter().zip(&mut cycles).enumerate();
                let images = kinds.flat_map(|(kind, (kept, cycle))| {
                    let drawn = cycle.draw(BATCH, &mut random);
                    drawn.into_iter().map(move |index| Image {
                        scales: kept.image(index),
                        anomalous: kind == 1,
                    })
                });
                let images: Vec<Image<'_>> = images.collect();
                learner.step(&images, Reference::drawn(&mut random), rate);
            }
        }
        DevNetDetector::learned(&learner.heads, self.image_size)
    }
}

impl Trainer for DevNetTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        for (kind, inputs) in self.kinds.iter_mut().zip([Some(normal), anomalous]) {
            if let Some(inputs) = inputs {
                kind.add(inputs);
            }
        }
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if self.learned.is_none() {
            both_kinds("devnet", self.kinds.each_ref().map(Kept::len))?;
            self.learned = Some(self.learn());
            self.kinds.iter_mut().for_each(Kept::clear);
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
        for (name, kind) in KINDS.into_iter().zip(&self.kinds) {
            kind.save(name, &mut state);
        }
        if let Some(learned) = &self.learned {
            state.insert_parameters(&learned.parameters());
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        for (name, kind) in KINDS.into_iter().zip(&mut self.kinds) {
            kind.restore(name, &mut state)?;
        }
        self.learned = None;
        if !state.0.is_empty() {
            let scales = self.kinds[0].shapes();
            let parameters = state.take_parameters(shapes(scales))?;
            let detector = DevNetDetector::of(parameters, scales.len(), self.image_size);
            self.learned = Some(detector);
        }
        Ok(())
    }
}
