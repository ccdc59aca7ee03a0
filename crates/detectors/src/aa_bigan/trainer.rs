use burn::module::Module;
use burn::tensor::Tensor;

use super::losses::Batch;
use super::{AaBiganDetector, CriticLosses, Critics, Encoder, Generator, Losses, Settings};
use crate::adam::Rule;
use crate::gaussian_noise::standard_normal;
use crate::learning::Learning;
use crate::pixels::unit;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, State, Trainer};

const ENCODER: &str = "encoder";
const GENERATOR: &str = "generator";
const CRITICS: &str = "critics";
const TIME: &str = "time";
/// The passes after which learning rates fall, and what they fall to.
const DECAY_PASSES: u64 = 100;
const DECAY: f64 = 0.98;

/// Networks that learn, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    encoder: Learning<Encoder>,
    generator: Learning<Generator>,
    critics: Learning<Critics>,
    /// Passes done.
    passes: u64,
}

impl Learner {
    /// With fresh optimizers: Adam, betas 0.5 and 0.9.
    pub fn new(
        settings: Settings,
        (encoder, generator, critics): (Encoder, Generator, Critics),
    ) -> Self {
        let rule = Rule::new(0.5, 0.9);
        Self {
            settings,
            encoder: Learning::new(encoder, rule.optimizer()),
            generator: Learning::new(generator, rule.optimizer()),
            critics: Learning::new(critics, rule.optimizer()),
            passes: 0,
        }
    }

    /// What learns.
    pub fn networks(&self) -> (&Encoder, &Generator, &Critics) {
        (
            &self.encoder.module,
            &self.generator.module,
            &self.critics.module,
        )
    }

    /// A step of the critics, then one of encoder and generator against them.
    ///
    /// # Shapes
    /// - images, anomalous: `[batch, 3, side, side]`, brightness from 0 to 1; noise: `[batch, latent]`
    pub fn step(
        &mut self,
        images: Tensor<4>,
        anomalous: Option<Tensor<4>>,
        noise: Tensor<2>,
    ) -> (CriticLosses, Losses) {
        let fall = DECAY.powi((self.passes / DECAY_PASSES) as i32);
        let batch = Batch::new(
            &self.encoder.module,
            &self.generator.module,
            images,
            anomalous,
            noise,
        );
        let of_critics = CriticLosses::new(&self.critics.module, &batch);
        let rate = fall * self.settings.critic_learning_rate;
        self.critics.step(rate, &mut of_critics.total.backward());
        let losses = Losses::new(&self.critics.module, &batch);
        let mut gradients = losses.total.backward();
        let rate = fall * self.settings.learning_rate;
        self.generator.step(rate, &mut gradients);
        self.encoder.step(rate, &mut gradients);
        (of_critics, losses)
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct AaBiganTrainer {
    pub(super) learner: Learner,
    pub(super) seed: u64,
    /// Steps done.
    pub(super) time: u64,
}

impl Trainer for AaBiganTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> crate::Losses {
        let images = unit(normal);
        let shape = [images.dims()[0], self.learner.settings.latent];
        let noise = standard_normal([self.seed, self.time], shape, &images.device());
        self.time += 1;
        let (critics, losses) = self.learner.step(images, anomalous.map(unit), noise);
        crate::Losses(vec![
            ("total", losses.total.inner()),
            ("generator", losses.generator.inner()),
            ("encoder", losses.encoder.inner()),
            ("critics", critics.total.inner()),
        ])
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        self.learner.passes += 1;
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let (encoder, generator, _) = self.learner.networks();
        Box::new(AaBiganDetector::new(encoder.valid(), generator.valid()))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        let learner = &self.learner;
        learner.encoder.save(&mut state, ENCODER)?;
        learner.generator.save(&mut state, GENERATOR)?;
        learner.critics.save(&mut state, CRITICS)?;
        state.insert_numbers(TIME, [self.time as f64, learner.passes as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let learner = &mut self.learner;
        learner.encoder.restore(&mut state, ENCODER)?;
        learner.generator.restore(&mut state, GENERATOR)?;
        learner.critics.restore(&mut state, CRITICS)?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 2, TIME)?;
        self.time = time[0] as u64;
        learner.passes = time[1] as u64;
        Ok(())
    }
}
