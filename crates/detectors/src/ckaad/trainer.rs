use burn::module::Module;
use ckaad_backbone::BackboneConfig;

use super::{CkaadDetector, Learner};
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const AUTO_ENCODER: &str = "auto_encoder";
const AUTO_ENCODER_OPTIMIZER: &str = "auto_encoder_optimizer";
const DISCRIMINATOR: &str = "discriminator";
const DISCRIMINATOR_OPTIMIZER: &str = "discriminator_optimizer";

/// [`Learner`] as the contract has it.
pub(crate) struct CkaadTrainer {
    pub(crate) learner: Learner,
    pub(crate) backbone: BackboneConfig,
    pub(crate) image_size: usize,
}

impl Trainer for CkaadTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        let anomalous = anomalous.map(Inputs::tensors);
        let record = self.learner.step(&normal.tensors(), anomalous.as_deref());
        let mut losses = vec![
            ("total", record.total),
            ("reconstruction", record.reconstruction),
        ];
        if let Some(anomalous) = record.anomalous {
            losses.push(("adversarial", anomalous.adversarial));
            losses.extend(
                anomalous
                    .discriminator
                    .map(|(loss, _)| ("discriminator", loss)),
            );
        }
        Losses(losses)
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
