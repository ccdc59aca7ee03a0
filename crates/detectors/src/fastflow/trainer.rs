use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use super::{FastFlowDetector, Flow};
use crate::adam::{Decay, Rule};
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const WEIGHT_DECAY: f64 = 1e-5;
const FLOW: &str = "flow";
const OPTIMIZER: &str = "optimizer";

/// A flow that learns, on a device with autodiff.
pub struct Learner {
    /// What learns.
    pub flow: Flow,
    optimizer: ModuleOptimizer,
    learning_rate: f64,
}

impl Learner {
    /// With a fresh optimizer: Adam, betas 0.9 and 0.999, weight decay 1e-5.
    pub fn new(flow: Flow, learning_rate: f64) -> Self {
        Self {
            flow,
            optimizer: Rule::new(0.9, 0.999)
                .with_decay(Decay::Gradient(WEIGHT_DECAY))
                .optimizer(),
            learning_rate,
        }
    }

    /// One step on the features of normal images; the loss of all scales together.
    ///
    /// # Shapes
    /// As [`Flow::forward`].
    pub fn step(&mut self, features: &[Tensor<4>]) -> Tensor<1> {
        let levels = self.flow.forward(features).into_iter();
        let total = levels
            .map(|level| level.loss())
            .reduce(|total, level| total + level)
            .unwrap_or_else(|| panic!("a flow has at least one scale"));
        let gradients = GradientsParams::from_grads(total.backward(), &self.flow);
        self.flow = self
            .optimizer
            .step(self.learning_rate, self.flow.clone(), gradients);
        total.inner()
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct FastFlowTrainer {
    pub(super) learner: Learner,
    pub(super) image_size: usize,
}

impl Trainer for FastFlowTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        Losses(vec![("total", self.learner.step(&normal.tensors()))])
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(FastFlowDetector::new(
            self.learner.flow.valid(),
            self.image_size,
        ))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        state.insert_module(FLOW, self.learner.flow.clone())?;
        state.insert_optimizer(OPTIMIZER, &self.learner.optimizer)?;
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let Learner {
            flow, optimizer, ..
        } = &mut self.learner;
        *flow = state.take_module(FLOW, flow.clone())?;
        *optimizer = state.take_optimizer(OPTIMIZER, optimizer.clone())?;
        Ok(())
    }
}
