use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::detector::PadimDetector;
use super::{Gaussians, Moments, Settings, embedding};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// Fewer images have no covariance.
const LEAST_IMAGES: usize = 2;
const IMAGES: &str = "images";
const FIRST: &str = "first";
const SECOND: &str = "second";
const MEAN: &str = "mean";
const FACTOR: &str = "factor";

/// Sums over the normal images until the pass is over, then Gaussians.
pub(super) struct PadimTrainer {
    settings: Settings,
    /// Positions, and channels that are looked at.
    shape: (usize, usize),
    image_size: usize,
    /// Those that are looked at, ascending.
    channels: Vec<usize>,
    progress: Progress,
}

enum Progress {
    Learning(Moments),
    Learned(Gaussians),
}

impl PadimTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        let (positions, dimensions) = settings.shape(setup);
        let all = setup.backbone.config().channels().iter().sum();
        let mut random = ChaCha8Rng::seed_from_u64(setup.seed);
        let mut channels = rand::seq::index::sample(&mut random, all, dimensions).into_vec();
        channels.sort_unstable();
        let moments = Moments::new(settings.covariance, positions, dimensions);
        Self {
            settings,
            shape: (positions, dimensions),
            image_size: setup.image_size,
            channels,
            progress: Progress::Learning(moments),
        }
    }
}

impl Trainer for PadimTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        if let Progress::Learning(moments) = &mut self.progress {
            moments.add(&embedding(normal, &self.channels));
        }
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if let Progress::Learning(moments) = &self.progress {
            if moments.images < LEAST_IMAGES {
                return Err(DetectorError::Images {
                    system: "padim",
                    least: LEAST_IMAGES,
                    found: moments.images,
                });
            }
            self.progress = Progress::Learned(moments.gaussians());
        }
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        Box::new(PadimDetector {
            channels: self.channels.clone(),
            gaussians: match &self.progress {
                Progress::Learning(moments) => moments.gaussians(),
                Progress::Learned(gaussians) => gaussians.clone(),
            },
            image_size: self.image_size,
        })
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        match &self.progress {
            Progress::Learning(moments) => {
                state.insert_numbers(IMAGES, [moments.images as f64]);
                state.insert_numbers(FIRST, moments.first.iter().copied());
                state.insert_numbers(SECOND, moments.second.iter().copied());
            }
            Progress::Learned(gaussians) => {
                state.insert_values(MEAN, &gaussians.mean);
                state.insert_values(FACTOR, &gaussians.factor);
            }
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let ((positions, channels), covariance) = (self.shape, self.settings.covariance);
        let (means, pairs) = (positions * channels, positions * covariance.len(channels));
        self.progress = if state.0.contains_key(MEAN) {
            let (mean, factor) = (state.take_values(MEAN)?, state.take_values(FACTOR)?);
            fits(mean.len() == means, MEAN)?;
            fits(factor.len() == pairs, FACTOR)?;
            Progress::Learned(Gaussians {
                covariance,
                channels,
                mean,
                factor,
            })
        } else {
            let mut moments = Moments::new(covariance, 0, channels);
            let images = state.take_numbers(IMAGES)?;
            moments.first = state.take_numbers(FIRST)?;
            moments.second = state.take_numbers(SECOND)?;
            fits(images.len() == 1, IMAGES)?;
            fits(moments.first.len() == means, FIRST)?;
            fits(moments.second.len() == pairs, SECOND)?;
            moments.images = images[0] as usize;
            Progress::Learning(moments)
        };
        Ok(())
    }
}
