use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use ckaad_backbone::Backbone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::detector::{DifferNetDetector, black_around, vectors};
use super::{Flow, Settings};
use crate::adam::{Decay, Rule};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const RULE: Rule = Rule {
    constants: ckaad_ops::Adam {
        beta_1: 0.8,
        beta_2: 0.8,
        epsilon: 1e-4,
    },
    decay: Decay::Gradient(1e-5),
};
const FLOW: &str = "flow";
const OPTIMIZER: &str = "optimizer";
const TIME: &str = "time";

/// A flow that learns, on a device with autodiff.
pub struct Learner {
    /// What learns.
    pub flow: Flow,
    optimizer: ModuleOptimizer,
    learning_rate: f64,
}

impl Learner {
    /// With a fresh optimizer: Adam, betas 0.8 and 0.8, epsilon 1e-4, weight decay 1e-5.
    pub fn new(flow: Flow, learning_rate: f64) -> Self {
        Self {
            flow,
            optimizer: RULE.optimizer(),
            learning_rate,
        }
    }

    /// One step on the pooled features of normal images; the loss.
    ///
    /// # Shapes
    /// As [`Flow::forward`].
    pub fn step(&mut self, vectors: Tensor<2>) -> Tensor<1> {
        let loss = self.flow.forward(vectors).loss();
        let gradients = GradientsParams::from_grads(loss.backward(), &self.flow);
        self.flow = self
            .optimizer
            .step(self.learning_rate, self.flow.clone(), gradients);
        loss.inner()
    }
}

/// [`Learner`] as the contract has it, with the turned images that it learns from.
pub(super) struct DifferNetTrainer {
    pub(super) settings: Settings,
    pub(super) learner: Learner,
    pub(super) backbone: Backbone,
    pub(super) seed: u64,
    pub(super) device: Device,
    /// Steps done.
    pub(super) time: u64,
}

impl Trainer for DifferNetTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        let Some(images) = normal.images.clone().map(black_around) else {
            panic!("differnet asks for images");
        };
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.time);
        self.time += 1;
        let views = (0..self.settings.views).map(|_| {
            let draw = |_| random.random_range(-180.0..180.0);
            let angles: Vec<f64> = (0..images.len()).map(draw).collect();
            vectors(&self.backbone, &images, &angles, &self.device)
        });
        let vectors = Tensor::cat(views.collect(), 0);
        Losses(vec![("total", self.learner.step(vectors))])
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(DifferNetDetector {
            flow: self.learner.flow.valid(),
            backbone: self.backbone.clone(),
            views: self.settings.test_views,
            device: self.device.clone(),
        })
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        state.insert_module(FLOW, self.learner.flow.clone())?;
        state.insert_optimizer(OPTIMIZER, &self.learner.optimizer)?;
        state.insert_numbers(TIME, [self.time as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let Learner {
            flow, optimizer, ..
        } = &mut self.learner;
        *flow = state.take_module(FLOW, flow.clone())?;
        *optimizer = state.take_optimizer(OPTIMIZER, optimizer.clone())?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        self.time = time[0] as u64;
        Ok(())
    }
}
