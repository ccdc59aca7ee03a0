use burn::module::Module;
use burn::tensor::Tensor;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{DraemDetector, Network, Objective, Settings};
use crate::adam::Rule;
use crate::learning::Learning;
use crate::pixels::unit;
use crate::rotation::Images;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, State, Trainer};

const NETWORK: &str = "network";
const TIME: &str = "time";
/// The share of images that are turned, and by how many degrees at the most.
const TURNED: f64 = 0.3;
const ANGLE: f64 = 90.0;
/// When the learning rate falls, in shares of all steps, and to what share of itself.
const FALLS: [f64; 2] = [0.8, 0.9];
const FALL: f64 = 0.2;

/// Networks that learn, on a device with autodiff.
pub struct Learner(Learning<Network>);

impl Learner {
    /// With a fresh optimizer: Adam, betas 0.9 and 0.999.
    pub fn new(network: Network) -> Self {
        Self(Learning::new(network, Rule::new(0.9, 0.999).optimizer()))
    }

    /// What learns.
    pub fn network(&self) -> &Network {
        &self.0.module
    }

    /// One step on images with anomalies drawn into them, without them, and masks of where they are.
    ///
    /// # Shapes
    /// As [`Objective::new`].
    pub fn step(
        &mut self,
        rate: f64,
        corrupted: Tensor<4>,
        clean: Tensor<4>,
        masks: Tensor<4>,
    ) -> Objective {
        let (rebuilt, logits) = self.network().forward(corrupted);
        let losses = Objective::new(rebuilt, logits, clean, masks);
        self.0.step(rate, &mut losses.total.backward());
        losses.inner()
    }
}

/// [`Learner`] as the contract has it.
pub(super) struct DraemTrainer {
    pub(super) settings: Settings,
    pub(super) learner: Learner,
    pub(super) image_size: usize,
    pub(super) seed: u64,
    /// Steps in all.
    pub(super) steps: u64,
    /// Steps done.
    pub(super) time: u64,
}

impl DraemTrainer {
    fn rate(&self) -> f64 {
        let share = self.time as f64 / self.steps.max(1) as f64;
        let falls = FALLS.iter().filter(|fall| share >= **fall).count();
        self.settings.learning_rate * FALL.powi(falls as i32)
    }

    /// Some of the images, with what belongs to them, turned.
    fn turned(&self, images: Tensor<4>) -> Tensor<4> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.time);
        let mut angle = |_| {
            let (drawn, angle) = (random.random::<f64>(), random.random_range(-ANGLE..ANGLE));
            if drawn < TURNED { angle } else { 0.0 }
        };
        let angles: Vec<f64> = (0..images.dims()[0]).map(&mut angle).collect();
        Images::new(images, &[0.0]).turned(&angles)
    }
}

impl Trainer for DraemTrainer {
    fn step(&mut self, normal: &Inputs, drawn: Option<&Inputs>) -> Losses {
        let (Some(drawn), Some(masks)) = (drawn, drawn.and_then(|drawn| drawn.masks.clone()))
        else {
            panic!("draem asks for drawn anomalies");
        };
        let joined = Tensor::cat(vec![unit(drawn), unit(normal), masks], 1);
        let joined = self.turned(joined);
        let part = |first: usize, count: usize| joined.clone().narrow(1, first, count);
        let rate = self.rate();
        self.time += 1;
        let losses = self.learner.step(rate, part(0, 3), part(3, 3), part(6, 1));
        Losses(vec![
            ("total", losses.total),
            ("mse", losses.mse),
            ("ssim", losses.ssim),
            ("focal", losses.focal),
        ])
    }

    fn detector(&self) -> Box<dyn Detector> {
        let network = self.learner.network().valid();
        Box::new(DraemDetector::new(network, self.image_size))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.learner.0.save(&mut state, NETWORK)?;
        state.insert_numbers(TIME, [self.time as f64]);
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.learner.0.restore(&mut state, NETWORK)?;
        let time = state.take_numbers(TIME)?;
        fits(time.len() == 1, TIME)?;
        self.time = time[0] as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draem::NetworkConfig;

    #[test]
    fn the_learning_rate_falls_twice() {
        let config = NetworkConfig {
            rebuild_width: 1,
            segment_width: 1,
            precision: ckaad_ops::Precision::F32,
        };
        let device = ckaad_device::cpu().autodiff();
        let mut trainer = DraemTrainer {
            settings: Settings::default(),
            learner: Learner::new(config.zeros(&device)),
            image_size: 32,
            seed: 1,
            steps: 10,
            time: 0,
        };
        for (time, rate) in [(0, 1e-4), (7, 1e-4), (8, 2e-5), (9, 4e-6)] {
            trainer.time = time;
            assert!((trainer.rate() - rate).abs() < 1e-12, "{time}");
        }
    }
}
