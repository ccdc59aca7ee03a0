use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_backbone::Backbone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::detector::{D3adDetector, Networks, seen};
use super::diffusion::{TIMES, noised, shares_left};
use super::memory::Memory;
use super::{AutoEncoder, Settings, UNet};
use crate::adam::{Decay, Rule};
use crate::gaussian_noise::standard_normal;
use crate::learning::Learning;
use crate::pixels::signed;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const AUTO_ENCODER: &str = "auto_encoder";
const UNET: &str = "unet";
const MEMORY: &str = "memory";
const TIME: &str = "time";
/// The share of all steps in which the auto-encoder learns, in percent.
const AUTO_ENCODERS_SHARE: u64 = 40;

/// Networks that learn one after the other, on a device with autodiff.
pub struct Learner {
    settings: Settings,
    auto_encoder: Learning<AutoEncoder>,
    unet: Learning<UNet>,
}

impl Learner {
    /// With fresh optimizers: Adam for the auto-encoder, AdamW with a decay of 0.01 for the other.
    pub fn new(settings: Settings, auto_encoder: AutoEncoder, unet: UNet) -> Self {
        let rule = Rule::new(0.9, 0.999);
        Self {
            settings,
            auto_encoder: Learning::new(auto_encoder, rule.optimizer()),
            unet: Learning::new(unet, rule.with_decay(Decay::Parameter(0.01)).optimizer()),
        }
    }

    /// What learns.
    pub fn networks(&self) -> (&AutoEncoder, &UNet) {
        (&self.auto_encoder.module, &self.unet.module)
    }

    /// A step of the auto-encoder: the mean squared error of images that were encoded and decoded.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`, brightness from -1 to 1
    pub fn compress(&mut self, images: Tensor<4>) -> Tensor<1> {
        let network = &self.auto_encoder.module;
        let painted = network.decode(network.encode(images.clone()));
        let loss = (painted - images).square().mean();
        let rate = self.settings.auto_encoder_learning_rate;
        self.auto_encoder.step(rate, &mut loss.backward());
        loss.inner()
    }

    /// A step of the other network: the mean squared error of the noise that it finds in noised latent maps. The auto-encoder stays.
    ///
    /// # Shapes
    /// - noise: `[batch, 4, height, width]`; times: one for every image, below [`TIMES`]
    pub fn denoise(&mut self, images: Tensor<4>, noise: Tensor<4>, times: &[usize]) -> Tensor<1> {
        let latent = self.auto_encoder.module.valid().encode(images);
        let noised = noised(latent, noise.clone(), times, &shares_left());
        let found = self.unet.module.forward(noised, times);
        let loss = (found - noise).square().mean();
        let rate = self.settings.learning_rate;
        self.unet.step(rate, &mut loss.backward());
        loss.inner()
    }
}

/// [`Learner`] as the contract has it, with a memory of the training images.
pub(super) struct D3adTrainer {
    pub(super) learner: Learner,
    pub(super) backbone: Backbone,
    pub(super) image_size: usize,
    pub(super) memory: Memory,
    pub(super) seed: u64,
    /// Steps in all, and passes and steps done.
    pub(super) steps: u64,
    pub(super) passes: u64,
    pub(super) time: u64,
}

impl Trainer for D3adTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        if self.passes == 0 {
            let images = seen(&normal.tensors(), self.learner.settings.pooled_side());
            for image in images {
                self.memory.length = image.len();
                self.memory.values.extend(image);
            }
        }
        let images = signed(normal);
        self.time += 1;
        if self.time * 100 <= self.steps * AUTO_ENCODERS_SHARE {
            return Losses(vec![("auto_encoder", self.learner.compress(images))]);
        }
        let count = images.dims()[0];
        let shape = self.learner.settings.latent_shape(count, self.image_size);
        let noise = standard_normal([self.seed, self.time], shape, &images.device());
        let mut random = ChaCha8Rng::seed_from_u64(!self.seed);
        random.set_stream(self.time);
        let times: Vec<usize> = (0..count).map(|_| random.random_range(0..TIMES)).collect();
        Losses(vec![("noise", self.learner.denoise(images, noise, &times))])
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if self.passes == 0 {
            self.memory.measure();
        }
        self.passes += 1;
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let (auto_encoder, unet) = self.learner.networks();
        Box::new(D3adDetector {
            networks: Networks {
                auto_encoder: auto_encoder.valid(),
                unet: unet.valid(),
            },
            memory: self.memory.clone(),
            backbone: self.backbone.clone(),
            settings: self.learner.settings,
            image_size: self.image_size,
        })
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.learner.auto_encoder.save(&mut state, AUTO_ENCODER)?;
        self.learner.unet.save(&mut state, UNET)?;
        state.insert_values(MEMORY, &self.memory.values);
        let [least, most] = self.memory.range.map(f64::from);
        let numbers = [self.time, self.passes, self.memory.length as u64].map(|n| n as f64);
        state.insert_numbers(TIME, numbers.into_iter().chain([least, most]));
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.learner
            .auto_encoder
            .restore(&mut state, AUTO_ENCODER)?;
        self.learner.unet.restore(&mut state, UNET)?;
        let values = state.take_values(MEMORY)?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 5, TIME)?;
        self.time = time[0] as u64;
        self.passes = time[1] as u64;
        let length = time[2] as usize;
        fits(values.len().is_multiple_of(length.max(1)), MEMORY)?;
        self.memory = Memory {
            length,
            values,
            range: [time[3] as f32, time[4] as f32],
        };
        Ok(())
    }
}
