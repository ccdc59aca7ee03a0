use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Gradients, Tensor};
use ckaad_backbone::Encoder;

use super::detector::{Networks, RecontrastDetector};
use super::{Decoder, Objective, Settings};
use crate::adam::{Decay, Rule};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const DECODER: &str = "decoder";
const DECODER_OPTIMIZER: &str = "decoder_optimizer";
const ENCODER: &str = "encoder";
const ENCODER_OPTIMIZER: &str = "encoder_optimizer";
const TIME: &str = "time";

/// AdamW, weight decay 1e-5.
const RULE: Rule = Rule::new(0.9, 0.999).with_decay(Decay::Parameter(1e-5));

/// A decoder that learns, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    /// What learns.
    pub decoder: Decoder,
    optimizer: ModuleOptimizer,
    /// Steps done.
    time: u64,
}

impl Learner {
    /// With a fresh optimizer: AdamW, betas 0.9 and 0.999, weight decay 1e-5.
    pub fn new(settings: Settings, decoder: Decoder) -> Self {
        Self {
            settings,
            decoder,
            optimizer: RULE.optimizer(),
            time: 0,
        }
    }

    /// One step on what both encoders see of the same images: the losses, and the gradients that are left, of whatever the features were
    /// computed by.
    ///
    /// # Shapes
    /// As [`Decoder::forward`].
    pub fn step(&mut self, trained: &[Tensor<4>], frozen: &[Tensor<4>]) -> (Objective, Gradients) {
        let hardness = self.settings.hardness(self.time);
        self.time += 1;
        let losses = Objective::new(&self.decoder, trained, frozen, hardness);
        let mut gradients = losses.total.backward();
        let of_decoder = GradientsParams::from_module(&mut gradients, &self.decoder);
        let rate = self.settings.learning_rate;
        self.decoder = self.optimizer.step(rate, self.decoder.clone(), of_decoder);
        (losses.inner(), gradients)
    }
}

/// [`Learner`] as the contract has it, with the encoder that learns.
pub(super) struct RecontrastTrainer {
    learner: Learner,
    encoder: Encoder,
    optimizer: ModuleOptimizer,
    image_size: usize,
}

impl RecontrastTrainer {
    /// With a fresh optimizer for the encoder.
    pub(super) fn new(learner: Learner, encoder: Encoder, image_size: usize) -> Self {
        Self {
            learner,
            encoder,
            optimizer: RULE.optimizer(),
            image_size,
        }
    }
}

impl Trainer for RecontrastTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        let Some(images) = normal.images.clone() else {
            panic!("recontrast asks for images");
        };
        let trained = self.encoder.forward(images);
        let (losses, gradients) = self.learner.step(&trained, &normal.tensors());
        let gradients = GradientsParams::from_grads(gradients, &self.encoder);
        let rate = self.learner.settings.encoder_learning_rate;
        self.encoder = self.optimizer.step(rate, self.encoder.clone(), gradients);
        Losses(vec![
            ("total", losses.total),
            ("to_frozen", losses.to_frozen),
            ("to_trained", losses.to_trained),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        let networks = Networks {
            decoder: self.learner.decoder.clone(),
            encoder: self.encoder.clone(),
        };
        let score = self.learner.settings.image_score;
        Box::new(RecontrastDetector::new(networks, score, self.image_size))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let learner = &self.learner;
        // Batch norms hold their last update back until they are asked; going over to evaluation asks them.
        let _ = learner.decoder.valid();
        let mut state = State::default();
        state.insert_module(DECODER, learner.decoder.clone())?;
        state.insert_optimizer(DECODER_OPTIMIZER, &learner.optimizer)?;
        state.insert_module(ENCODER, self.encoder.clone())?;
        state.insert_optimizer(ENCODER_OPTIMIZER, &self.optimizer)?;
        state.insert_numbers(TIME, [learner.time as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let learner = &mut self.learner;
        learner.decoder = state.take_module(DECODER, learner.decoder.clone())?;
        self.encoder = state.take_module(ENCODER, self.encoder.clone())?;
        for (part, optimizer) in [
            (DECODER_OPTIMIZER, &mut learner.optimizer),
            (ENCODER_OPTIMIZER, &mut self.optimizer),
        ] {
            *optimizer = state.take_optimizer(part, optimizer.clone())?;
        }
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        learner.time = time[0] as u64;
        Ok(())
    }
}
