use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_backbone::BackboneConfig;
use ckaad_parameters::{NamedTensors, collect};

use super::collapse::collapse;
use super::{CkaadDetector, Discriminator, Learner, Schedule, Settings};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

const AUTO_ENCODER: &str = "auto_encoder";
const AUTO_ENCODER_OPTIMIZER: &str = "auto_encoder_optimizer";
const DISCRIMINATOR: &str = "discriminator";
const DISCRIMINATOR_OPTIMIZER: &str = "discriminator_optimizer";
const TIME: &str = "time";

/// [`Learner`] as the contract has it.
pub(crate) struct CkaadTrainer {
    pub(crate) learner: Learner,
    pub(crate) backbone: BackboneConfig,
    pub(crate) image_size: usize,
    /// How many steps are planned.
    pub(crate) steps: u64,
    /// How many were done.
    pub(crate) time: u64,
    /// The sizes of the last step's gradients.
    pub(crate) gradients: Vec<(&'static str, Tensor<1>)>,
}

impl Trainer for CkaadTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        let schedule = self.learner.settings().schedule;
        self.learner.share = schedule.share(self.time, self.steps);
        self.time += 1;
        let anomalous = anomalous.map(Inputs::tensors);
        let record = self.learner.step(&normal.tensors(), anomalous.as_deref());
        self.gradients = vec![("the gradient of the auto-encoder", record.gradient_norm)];
        let mut losses = vec![
            ("total", record.total),
            ("reconstruction", record.reconstruction),
        ];
        if let Some(anomalous) = record.anomalous {
            losses.push(("adversarial", anomalous.adversarial));
            if let Some((loss, gradient)) = anomalous.discriminator {
                losses.push(("discriminator", loss));
                let name = "the gradient of the discriminator";
                self.gradients.push((name, gradient));
            }
        }
        Losses(losses)
    }

    fn watched(&self) -> Vec<(&'static str, Tensor<1>)> {
        self.gradients.clone()
    }

    fn collapse(&self, normal: &Inputs) -> Option<String> {
        collapse(&self.learner, &normal.tensors())
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(CkaadDetector::new(
            &self.learner.auto_encoder,
            self.learner.settings().image_score,
            &self.backbone,
            self.image_size,
        ))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let learner = &self.learner;
        // Batch norms hold their last update back until they are asked; going over to evaluation asks them.
        let _ = learner.auto_encoder.valid();
        let mut state = State::default();
        if learner.settings().schedule != Schedule::Constant {
            state.insert_numbers(TIME, [self.time as f64]);
        }
        state.insert_module(AUTO_ENCODER, learner.auto_encoder.clone())?;
        state.insert_optimizer(AUTO_ENCODER_OPTIMIZER, &learner.optimizer)?;
        if let Some(discriminator) = &learner.discriminator {
            state.insert_module(DISCRIMINATOR, discriminator.clone())?;
            state.insert_optimizer(DISCRIMINATOR_OPTIMIZER, &learner.discriminator_optimizer)?;
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let learner = &mut self.learner;
        if learner.settings().schedule != Schedule::Constant {
            let time = state.take_numbers(TIME)?;
            fits(time.len() == 1, TIME)?;
            self.time = time[0] as u64;
        }
        learner.auto_encoder = state.take_module(AUTO_ENCODER, learner.auto_encoder.clone())?;
        learner.optimizer =
            state.take_optimizer(AUTO_ENCODER_OPTIMIZER, learner.optimizer.clone())?;
        if let Some(discriminator) = learner.discriminator.take() {
            learner.discriminator = Some(state.take_module(DISCRIMINATOR, discriminator)?);
            learner.discriminator_optimizer = state.take_optimizer(
                DISCRIMINATOR_OPTIMIZER,
                learner.discriminator_optimizer.clone(),
            )?;
        }
        Ok(())
    }
}

/// The parameters of the discriminator in a state of ckaad's training; `None` if the method trains none.
///
/// # Errors
/// [`DetectorError::State`] if it is of another system or of other settings.
pub fn discriminator_parameters(
    settings: &Settings,
    setup: &Setup<'_>,
    mut state: State,
) -> Result<Option<NamedTensors>, DetectorError> {
    let (backbone, size) = (setup.backbone.config(), setup.image_size);
    Discriminator::new(settings.method, backbone, size, setup.seed, setup.device)
        .map(|untrained| state.take_module(DISCRIMINATOR, untrained))
        .transpose()
        .map(|learned| learned.map(|learned| collect(&learned)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use burn::tensor::Distribution;
    use ckaad_backbone::ResNetVariant;
    use ckaad_ops::FeatureMap;

    use super::*;

    fn collapse_of(
        inputs: &Inputs,
        zero_auto_encoder: bool,
        zero_discriminator: bool,
    ) -> Option<String> {
        let device = ckaad_device::cpu();
        let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[1]).unwrap();
        let setup = Setup {
            steps: 8,
            backbone: &backbone.random(1, &device),
            image_size: 32,
            seed: 1,
            device: &device,
        };
        let settings = Settings {
            norm: ckaad_auto_encoder::Norm::Batch,
            ..Settings::default()
        };
        let mut trainer = settings.untrained(&setup);
        let learner = &mut trainer.learner;
        let zeros =
            |info: ckaad_parameters::ParameterInfo<'_>| vec![0.0; info.shape.iter().product()];
        if zero_auto_encoder {
            learner.auto_encoder = ckaad_parameters::fill(learner.auto_encoder.clone(), zeros);
        }
        if zero_discriminator {
            let discriminator = learner.discriminator.take().unwrap();
            learner.discriminator = Some(ckaad_parameters::fill(discriminator, zeros));
        }
        trainer.collapse(inputs)
    }

    #[test]
    fn networks_that_answer_the_same_to_everything_are_told() {
        let device = ckaad_device::cpu();
        let inputs = |map: Tensor<4>| Inputs {
            masks: None,
            images: None,
            features: vec![FeatureMap::plain(map)],
        };
        let shape = [2, 64, 8, 8];
        let normal = inputs(Tensor::random(shape, Distribution::Default, &device));
        assert_eq!(collapse_of(&normal, false, false), None);
        let said = collapse_of(&normal, true, false).unwrap();
        assert!(said.contains("the auto-encoder gives the same"), "{said}");
        let said = collapse_of(&normal, false, true).unwrap();
        assert!(said.contains("the discriminator gives the same"), "{said}");
        // Blank images say nothing of the networks.
        let blank = inputs(Tensor::zeros(shape, &device));
        assert_eq!(collapse_of(&blank, false, true), None);
    }
}
