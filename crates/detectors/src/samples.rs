//! Pooled features of normal and of anomalous images, for systems that learn when they have seen all.

use crate::pooling::{Pooling, pooled};
use crate::state::fits;
use crate::{DetectorError, Inputs, Setup, State};

/// Normal images, then anomalous ones.
const CLASSES: [&str; 2] = ["normal", "anomalous"];

/// The pooled features of all images seen.
pub(crate) struct Samples {
    pooling: Vec<Pooling>,
    /// How many there are of an image.
    pub(crate) features: usize,
    /// Those of normal images, and of anomalous ones.
    pub(crate) classes: [Vec<Vec<f32>>; 2],
}

impl Samples {
    /// Of no image.
    pub(crate) fn new(pooling: &[Pooling], setup: &Setup<'_>) -> Self {
        Self {
            features: Pooling::features(pooling, setup.backbone.config()),
            pooling: pooling.to_vec(),
            classes: Default::default(),
        }
    }

    /// Adds a step's images.
    pub(crate) fn add(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) {
        for (class, inputs) in self.classes.iter_mut().zip([Some(normal), anomalous]) {
            if let Some(inputs) = inputs {
                class.extend(pooled(inputs, &self.pooling));
            }
        }
    }

    /// Shifts and scales every feature so that those of normal images have mean 0 and deviation 1, and says how.
    pub(crate) fn standardise(&mut self) -> Standard {
        let standard = Standard::of(&self.classes[0], self.features);
        for sample in self.classes.iter_mut().flatten() {
            standard.apply(sample);
        }
        standard
    }

    pub(crate) fn save(&self, state: &mut State) {
        for (name, class) in CLASSES.into_iter().zip(&self.classes) {
            state.insert_values(name, &class.concat());
        }
    }

    pub(crate) fn restore(&mut self, state: &mut State) -> Result<(), DetectorError> {
        for (name, class) in CLASSES.into_iter().zip(&mut self.classes) {
            let values = state.take_values(name)?;
            let samples = values.chunks_exact(self.features);
            fits(samples.remainder().is_empty(), name)?;
            *class = samples.map(<[f32]>::to_vec).collect();
        }
        Ok(())
    }
}

/// `(x - mean) / deviation` of every feature.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standard {
    pub(crate) mean: Vec<f32>,
    pub(crate) deviation: Vec<f32>,
}

impl Standard {
    /// Of some samples; a deviation of 0 counts as 1.
    fn of(samples: &[Vec<f32>], features: usize) -> Self {
        let count = samples.len() as f64;
        let mut mean = vec![0.0; features];
        for sample in samples {
            for (mean, x) in mean.iter_mut().zip(sample) {
                *mean += f64::from(*x) / count;
            }
        }
        let mut square = vec![0.0; features];
        for sample in samples {
            for ((square, mean), x) in square.iter_mut().zip(&mean).zip(sample) {
                *square += (f64::from(*x) - mean).powi(2) / count;
            }
        }
        let deviation = square.iter().map(|square| match square.sqrt() as f32 {
            0.0 => 1.0,
            deviation => deviation,
        });
        Self {
            deviation: deviation.collect(),
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
        }
    }

    pub(crate) fn apply(&self, sample: &mut [f32]) {
        let standard = self.mean.iter().zip(&self.deviation);
        for (x, (mean, deviation)) in sample.iter_mut().zip(standard) {
            *x = (*x - mean) / deviation;
        }
    }
}
