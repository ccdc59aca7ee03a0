//! A network that learns, with what its optimizer remembers.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Gradients;

use crate::{DetectorError, State};

/// A network on a device with autodiff, and its optimizer.
pub(crate) struct Learning<M> {
    pub(crate) module: M,
    optimizer: ModuleOptimizer,
}

impl<M: Module> Learning<M> {
    /// With a fresh optimizer.
    pub(crate) fn new(module: M, optimizer: ModuleOptimizer) -> Self {
        Self { module, optimizer }
    }

    /// Takes the network's own out of the gradients, and moves its parameters.
    pub(crate) fn step(&mut self, rate: f64, gradients: &mut Gradients) {
        let own = GradientsParams::from_module(gradients, &self.module);
        self.module = self.optimizer.step(rate, self.module.clone(), own);
    }

    /// Adds the network by that name, and the optimizer.
    pub(crate) fn save(&self, state: &mut State, part: &str) -> Result<(), DetectorError> {
        // Batch norms hold their last update back until they are asked; going over to evaluation asks them.
        let _ = self.module.valid();
        state.insert_module(part, self.module.clone())?;
        state.insert_optimizer(&optimizer(part), &self.optimizer)
    }

    /// Goes on from what [`save`](Self::save) added.
    pub(crate) fn restore(&mut self, state: &mut State, part: &str) -> Result<(), DetectorError> {
        self.module = state.take_module(part, self.module.clone())?;
        self.optimizer = state.take_optimizer(&optimizer(part), self.optimizer.clone())?;
        Ok(())
    }
}

fn optimizer(part: &str) -> String {
    format!("{part}_optimizer")
}
