use std::f64::consts::PI;

use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_backbone::{Backbone, Encoder};

use super::{DmadDetector, Network, Objective, Settings};
use crate::adam::{Decay, Rule};
use crate::learning::Learning;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

/// AdamW, weight decay 0.01.
const RULE: Rule = Rule::new(0.5, 0.999).with_decay(Decay::Parameter(0.01));
const NETWORK: &str = "network";
const TIME: &str = "time";

/// Networks that learn, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    network: Learning<Network>,
}

impl Learner {
    /// With a fresh optimizer: AdamW, betas 0.5 and 0.999, weight decay 0.01.
    pub fn new(settings: Settings, network: Network) -> Self {
        Self {
            settings,
            network: Learning::new(network, RULE.optimizer()),
        }
    }

    /// What learns.
    pub fn network(&self) -> &Network {
        &self.network.module
    }

    /// One step on images, which a frozen network turns into features; gradients pass through it.
    ///
    /// # Shapes
    /// As [`Objective::new`].
    pub fn step(
        &mut self,
        rate: f64,
        encode: impl FnOnce(Tensor<4>) -> Vec<Tensor<4>>,
        images: Tensor<4>,
    ) -> Objective {
        let weight = self.settings.deformation_weight;
        let losses = Objective::new(self.network(), encode, images, weight);
        self.network.step(rate, &mut losses.total.backward());
        losses.inner()
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct DmadTrainer {
    pub(super) learner: Learner,
    pub(super) backbone: Backbone,
    /// The backbone where gradients pass through it.
    pub(super) encoder: Encoder,
    pub(super) image_size: usize,
    /// Steps in all.
    pub(super) steps: u64,
    /// Steps done.
    pub(super) time: u64,
}

impl Trainer for DmadTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        let Some(images) = normal.images.clone() else {
            panic!("dmad asks for images");
        };
        let share = self.time as f64 / self.steps.max(1) as f64;
        // Half a wave of the cosine, from the whole rate to nothing.
        let fall = 0.5 * (1.0 + (PI * share.min(1.0)).cos());
        let rate = fall * self.learner.settings.learning_rate;
        self.time += 1;
        let encode = |images| self.encoder.forward(images);
        let losses = self.learner.step(rate, encode, images);
        Losses(vec![
            ("total", losses.total),
            ("reconstruction", Tensor::cat(losses.levels, 0).sum()),
            ("back", losses.back),
            ("codes", losses.codes),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(DmadDetector::new(
            self.learner.network().valid(),
            self.backbone.clone(),
            self.image_size,
            self.learner.settings.offset_weight,
        ))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.learner.network.save(&mut state, NETWORK)?;
        state.insert_numbers(TIME, [self.time as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.learner.network.restore(&mut state, NETWORK)?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        self.time = time[0] as u64;
        Ok(())
    }
}
