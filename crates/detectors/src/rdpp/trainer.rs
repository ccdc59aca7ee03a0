use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use ckaad_anomaly_map::AnomalyMapper;
use ckaad_backbone::Backbone;
use ckaad_ops::FeatureMap;

use super::noised::Noise;
use super::{Network, Objective, RdppDetector, Settings};
use crate::adam::adam;
use crate::gradients::{add, from_values_of, in_place};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const NETWORK: &str = "network";
const PROJECTION_OPTIMIZER: &str = "projection_optimizer";
const STUDENT_OPTIMIZER: &str = "student_optimizer";
const GRADIENTS: &str = "gradients";
const TIME: &str = "time";

/// The networks that learn, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    /// What learns.
    pub network: Network,
    projection_optimizer: ModuleOptimizer,
    student_optimizer: ModuleOptimizer,
    /// Of the batches since the last step.
    gradients: GradientsParams,
    /// Batches seen.
    time: u64,
}

impl Learner {
    /// With fresh optimizers: Adam, betas 0.5 and 0.999.
    pub fn new(settings: Settings, network: Network) -> Self {
        Self {
            settings,
            network,
            projection_optimizer: adam(),
            student_optimizer: adam(),
            gradients: GradientsParams::new(),
            time: 0,
        }
    }

    /// Learns from the features of normal images and of the same images with noise: adds to the gradients, and takes a step after every
    /// [`accumulation`](Settings::accumulation) batches.
    ///
    /// # Shapes
    /// As [`Network::project`].
    pub fn step(&mut self, normal: &[Tensor<4>], noised: &[Tensor<4>]) -> Objective {
        let weight = self.settings.projection_weight;
        let losses = Objective::new(&self.network, normal, noised, weight);
        let mut gradients = GradientsParams::from_grads(losses.total.backward(), &self.network);
        add(&self.network, &mut self.gradients, &mut gradients);
        self.time += 1;
        if !self.gathers() {
            self.move_parameters();
        }
        losses.inner()
    }

    /// Whether there are gradients of batches that no step was taken for.
    fn gathers(&self) -> bool {
        !self.time.is_multiple_of(self.settings.accumulation as u64)
    }

    fn move_parameters(&mut self) {
        let Network {
            projections,
            student,
        } = self.network.clone();
        let mut of_projections = GradientsParams::new();
        add(&projections, &mut of_projections, &mut self.gradients);
        let of_student = std::mem::take(&mut self.gradients);
        let Settings {
            learning_rate,
            projection_learning_rate,
            ..
        } = self.settings;
        self.network = Network {
            projections: self.projection_optimizer.step(
                projection_learning_rate,
                projections,
                of_projections,
            ),
            student: self
                .student_optimizer
                .step(learning_rate, student, of_student),
        };
    }
}

/// [`Learner`] as the contract has it, with the images on which it puts noise.
pub(super) struct RdppTrainer {
    pub(super) learner: Learner,
    pub(super) backbone: Backbone,
    pub(super) noise: Noise,
    pub(super) image_size: usize,
}

impl Trainer for RdppTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        let Some(images) = normal.images.clone() else {
            panic!("rd++ asks for images");
        };
        let noised = self.backbone.maps(self.noise.on(images, self.learner.time));
        let noised: Vec<Tensor<4>> = noised.iter().map(FeatureMap::to_tensor).collect();
        let losses = self.learner.step(&normal.tensors(), &noised);
        Losses(vec![
            ("total", losses.total),
            ("reconstruction", losses.distill),
            ("projection", losses.projection),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(RdppDetector::new(
            &self.learner.network,
            self.learner.settings.image_score,
            AnomalyMapper::new(self.image_size, self.image_size),
        ))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let learner = &self.learner;
        // Batch norms hold their last update back until they are asked; going over to evaluation asks them.
        let _ = learner.network.valid();
        let mut state = State::default();
        state.insert_module(NETWORK, learner.network.clone())?;
        state.insert_optimizer(PROJECTION_OPTIMIZER, &learner.projection_optimizer)?;
        state.insert_optimizer(STUDENT_OPTIMIZER, &learner.student_optimizer)?;
        state.insert_numbers(TIME, [learner.time as f64]);
        if learner.gathers() {
            state.insert_module(GRADIENTS, in_place(&learner.network, &learner.gradients))?;
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let learner = &mut self.learner;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        learner.time = time[0] as u64;
        if learner.gathers() {
            let gradients = state.take_module(GRADIENTS, learner.network.clone())?;
            learner.gradients = from_values_of(&gradients);
        }
        learner.network = state.take_module(NETWORK, learner.network.clone())?;
        for (part, optimizer) in [
            (PROJECTION_OPTIMIZER, &mut learner.projection_optimizer),
            (STUDENT_OPTIMIZER, &mut learner.student_optimizer),
        ] {
            *optimizer = state.take_optimizer(part, optimizer.clone())?;
        }
        Ok(())
    }
}
