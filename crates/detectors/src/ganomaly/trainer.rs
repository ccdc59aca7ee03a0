use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::softplus;
use ckaad_parameters::Initialisation;

use super::{Critic, GanomalyDetector, Generated, Generator, Settings};
use crate::adam::adam;
use crate::learning::Learning;
use crate::pixels::signed;
use crate::pooling::values;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const GENERATOR: &str = "generator";
const CRITIC: &str = "critic";
const TIME: &str = "time";
/// A critic whose loss falls below this starts anew.
const TOO_GOOD: f32 = 1e-5;

/// The generator's losses, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct GeneratorLosses {
    /// How differently the critic sees images and generated ones: the mean square of what its maps differ by.
    pub adversarial: Tensor<1>,
    /// The mean distance of generated images from the images.
    pub reconstruction: Tensor<1>,
    /// The mean square of what encoding again changed.
    pub encoding: Tensor<1>,
    /// Their weighted sum, which is made small.
    pub total: Tensor<1>,
}

/// The critic's losses, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct CriticLosses {
    /// Cross entropy on images.
    pub real: Tensor<1>,
    /// Cross entropy on generated images.
    pub fake: Tensor<1>,
    /// Their mean, which is made small.
    pub total: Tensor<1>,
}

impl GeneratorLosses {
    /// Of what the generator makes of images.
    pub fn new(
        settings: &Settings,
        critic: &Critic,
        images: Tensor<4>,
        generated: &Generated,
    ) -> Self {
        let (_, real) = critic.forward(images.clone());
        let (_, fake) = critic.forward(generated.images.clone());
        let adversarial = (real - fake).square().mean();
        let reconstruction = (images - generated.images.clone()).abs().mean();
        let encoding = generated.scores().mean();
        Self {
            total: adversarial.clone() * settings.adversarial_weight
                + reconstruction.clone() * settings.reconstruction_weight
                + encoding.clone() * settings.encoding_weight,
            adversarial,
            reconstruction,
            encoding,
        }
    }
}

impl CriticLosses {
    /// Of images, and of generated ones without their gradients.
    pub fn new(critic: &Critic, images: Tensor<4>, generated: Tensor<4>) -> Self {
        // -ln sigmoid(x) and -ln(1 - sigmoid(x)).
        let real = softplus(critic.forward(images).0.neg(), 1.0).mean();
        let fake = softplus(critic.forward(generated).0, 1.0).mean();
        Self {
            total: (real.clone() + fake.clone()) * 0.5,
            real,
            fake,
        }
    }
}

/// Networks that learn, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    generator: Learning<Generator>,
    critic: Learning<Critic>,
    seed: u64,
    /// Steps done.
    time: u64,
}

impl Learner {
    /// With fresh optimizers: Adam, betas 0.5 and 0.999.
    pub fn new(settings: Settings, (generator, critic): (Generator, Critic), seed: u64) -> Self {
        Self {
            settings,
            generator: Learning::new(generator, adam()),
            critic: Learning::new(critic, adam()),
            seed,
            time: 0,
        }
    }

    /// What learns.
    pub fn networks(&self) -> (&Generator, &Critic) {
        (&self.generator.module, &self.critic.module)
    }

    /// A step of the generator, then one of the critic on the same generated images.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from -1 to 1
    pub fn step(&mut self, images: Tensor<4>) -> (GeneratorLosses, CriticLosses) {
        self.time += 1;
        let rate = self.settings.learning_rate;
        let generated = self.generator.module.forward(images.clone());
        let critic = &self.critic.module;
        let of_generator = GeneratorLosses::new(&self.settings, critic, images.clone(), &generated);
        self.generator
            .step(rate, &mut of_generator.total.backward());
        let of_critic = CriticLosses::new(critic, images, generated.images.detach());
        self.critic.step(rate, &mut of_critic.total.backward());
        let total = of_critic.total.clone().inner();
        if values(total)[0] < TOO_GOOD {
            let critic = self.critic.module.clone();
            self.critic.module = Initialisation::Narrow.fill(critic, self.seed ^ self.time);
        }
        (of_generator, of_critic)
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct GanomalyTrainer(pub(super) Learner);

impl Trainer for GanomalyTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        let (generator, critic) = self.0.step(signed(normal));
        Losses(vec![
            ("total", generator.total.inner()),
            ("adversarial", generator.adversarial.inner()),
            ("reconstruction", generator.reconstruction.inner()),
            ("encoding", generator.encoding.inner()),
            ("critic", critic.total.inner()),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(GanomalyDetector(self.0.generator.module.valid()))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.0.generator.save(&mut state, GENERATOR)?;
        self.0.critic.save(&mut state, CRITIC)?;
        state.insert_numbers(TIME, [self.0.time as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.0.generator.restore(&mut state, GENERATOR)?;
        self.0.critic.restore(&mut state, CRITIC)?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        self.0.time = time[0] as u64;
        Ok(())
    }
}
