use std::f64::consts::LN_2;

use burn::module::Module;
use burn::tensor::Tensor;

use super::{AeFlowDetector, Network, Output, Settings};
use crate::adam::Rule;
use crate::learning::Learning;
use crate::pixels::signed;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const NETWORK: &str = "network";

/// The losses of a batch, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct Objective {
    /// How unlikely the flow finds the features, in bits for each of their numbers.
    pub flow: Tensor<1>,
    /// Mean squared error of the painted images.
    pub reconstruction: Tensor<1>,
    /// Their weighted mean, which is made small.
    pub total: Tensor<1>,
}

impl Objective {
    /// Against the images, brightness from -1 to 1; `flow_weight` is that of the flow's loss, the rest is the other's.
    pub fn new(output: &Output, images: Tensor<4>, flow_weight: f64) -> Self {
        let log_det: Tensor<1> = output.place.log_det.clone().squeeze_dim(1);
        let likelihood = (output.log_normal() + log_det).mean();
        let flow = likelihood / -(output.dimensions() * LN_2);
        let reconstruction = (output.painted.clone() - images).square().mean();
        Self {
            total: flow.clone() * flow_weight + reconstruction.clone() * (1.0 - flow_weight),
            flow,
            reconstruction,
        }
    }
}

/// Networks that learn, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    network: Learning<Network>,
}

impl Learner {
    /// With a fresh optimizer: Adam, betas 0.9 and 0.999.
    pub fn new(settings: Settings, network: Network) -> Self {
        Self {
            settings,
            network: Learning::new(network, Rule::new(0.9, 0.999).optimizer()),
        }
    }

    /// What learns.
    pub fn network(&self) -> &Network {
        &self.network.module
    }

    /// One step on the features of normal images, and the images.
    ///
    /// # Shapes
    /// - features: `[batch, channels, height, width]`
    /// - images: `[batch, 3, side, side]`, brightness from -1 to 1
    pub fn step(&mut self, features: Tensor<4>, images: Tensor<4>) -> Objective {
        let output = self.network().forward(features);
        let losses = Objective::new(&output, images, self.settings.flow_weight);
        let rate = self.settings.learning_rate;
        self.network.step(rate, &mut losses.total.backward());
        Objective {
            flow: losses.flow.inner(),
            reconstruction: losses.reconstruction.inner(),
            total: losses.total.inner(),
        }
    }
}

/// The coarsest features.
pub(super) fn coarsest(inputs: &Inputs) -> Tensor<4> {
    match inputs.features.last() {
        Some(map) => map.to_tensor(),
        None => panic!("ae-flow asks for features"),
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct AeFlowTrainer {
    pub(super) learner: Learner,
    pub(super) image_size: usize,
}

impl Trainer for AeFlowTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        let losses = self.learner.step(coarsest(normal), signed(normal));
        Losses(vec![
            ("total", losses.total),
            ("flow", losses.flow),
            ("reconstruction", losses.reconstruction),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        let network = self.learner.network().valid();
        let settings = self.learner.settings;
        Box::new(AeFlowDetector::new(settings, network, self.image_size))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.learner.network.save(&mut state, NETWORK)?;
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.learner.network.restore(&mut state, NETWORK)
    }
}
