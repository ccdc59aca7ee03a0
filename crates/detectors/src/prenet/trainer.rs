use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::detector::{PreNetDetector, shapes};
use super::{Learner, Network, Pair, Settings};
use crate::cycle::Cycle;
use crate::error::both_kinds;
use crate::samples::Samples;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// Pairs of a step: of two normal images, of a normal and an anomalous one, of two anomalous ones.
const PAIRS: [usize; 3] = [256, 128, 128];
/// Steps of a round.
const STEPS: usize = 20;

/// Keeps the pooled features of all images until the pass is over, then the network that learned from pairs of them.
pub(super) struct PreNetTrainer {
    settings: Settings,
    seed: u64,
    /// Before it has learned.
    network: Network,
    samples: Samples,
    learned: Option<PreNetDetector>,
}

impl PreNetTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            samples: Samples::new(&settings.pooling, setup),
            network: settings.network(setup),
            settings,
            seed: setup.seed,
            learned: None,
        }
    }

    fn learn(&mut self) -> PreNetDetector {
        let standard = self.samples.standardise();
        let [normal, anomalous] = &self.samples.classes;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut cycles = [normal, anomalous].map(|class| Cycle::new(class.len()));
        let mut learner = Learner::new(self.network.clone());
        for _ in 0..self.settings.rounds * STEPS {
            let [both_normal, one_of_each, both_anomalous] = PAIRS;
            let mut draw = |kind: usize, count: usize| cycles[kind].draw(count, &mut random);
            let first = draw(0, both_normal + one_of_each);
            let (second, odd) = (draw(0, both_normal), draw(1, one_of_each));
            let anomalies = draw(1, both_anomalous);
            let with_normal = first.iter().zip(second.iter().chain(&odd)).enumerate();
            let mut pairs: Vec<Pair<'_>> = with_normal
                .map(|(index, (&first, &second))| {
                    let mixed = index >= both_normal;
                    Pair {
                        first: &normal[first],
                        second: if mixed {
                            &anomalous[second]
                        } else {
                            &normal[second]
                        },
                        anomalous: usize::from(mixed),
                    }
                })
                .collect();
            pairs.extend(anomalies.into_iter().map(|first| {
                // Another one, if there is any.
                let others = anomalous.len().max(2) - 1;
                let second = (first + 1 + random.random_range(0..others)) % anomalous.len();
                Pair {
                    first: &anomalous[first],
                    second: &anomalous[second],
                    anomalous: 2,
                }
            }));
            learner.step(&pairs, self.settings.learning_rate);
        }
        let partners = [normal, anomalous].map(|class| {
            let class: Vec<f64> = class.iter().flatten().copied().map(f64::from).collect();
            learner.network.mean_shared(&class)
        });
        PreNetDetector::learned(&self.settings, standard, learner.network, partners)
    }
}

impl Trainer for PreNetTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        self.samples.add(normal, anomalous);
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if self.learned.is_none() {
            both_kinds("prenet", self.samples.classes.each_ref().map(Vec::len))?;
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
            let parameters = state.take_parameters(shapes(&self.network))?;
            let network = self.network.clone();
            self.learned = Some(PreNetDetector::of(&self.settings, network, parameters));
        }
        Ok(())
    }
}
