//! The batches of a training, made ahead.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::elastic::ElasticTransform;
use crate::normalise::normalise_pixels;
use crate::perlin::PerlinAnomalies;
use crate::prefetch::{Ahead, Prefetch};
use crate::schedule::{Order, Schedule, Step};
use crate::store::ImageStore;

/// What a batch counts for at the least.
const LEAST_BYTES: u64 = 1 << 20;

/// Where the anomalous images of a step come from.
#[derive(Clone, Debug)]
pub enum Anomalies {
    /// There are none.
    None,
    /// Labelled images, in an endless row of shuffled passes.
    Labelled(Arc<ImageStore>),
    /// Elastic transforms of the normal images of the same step.
    Elastic(ElasticTransform),
    /// The normal images of the same step with patches of textures in them.
    Perlin(PerlinAnomalies),
}

/// One training step's images.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainBatch {
    /// Which images they are.
    pub step: Step,
    /// Normalised normal images, [step.normal.len(), 3, size, size]; empty if they are not wanted.
    pub normal: Vec<f32>,
    /// Normalised anomalous images, [m, 3, size, size]; empty if there are none or they are not wanted.
    pub anomalous: Vec<f32>,
    /// Where anomalies were drawn into the anomalous images, [m, size, size]: 1 inside, 0 outside; empty unless they were.
    pub masks: Vec<f32>,
}

/// Which images the batches of a training hold.
#[derive(Clone, Debug)]
pub struct TrainBatches {
    normal: Arc<ImageStore>,
    anomalies: Anomalies,
    schedule: Schedule,
    with_normal: bool,
    with_anomalous: bool,
}

impl TrainBatches {
    /// Batches of `batch` normal images and as many anomalous ones (or all, if there are fewer).
    ///
    /// # Panics
    /// If the labelled images have another size than the normal ones.
    pub fn new(
        normal: Arc<ImageStore>,
        anomalies: Anomalies,
        batch: NonZeroUsize,
        order: Order,
        seed: u64,
    ) -> Self {
        let labelled = match &anomalies {
            Anomalies::Labelled(store) => {
                assert!(
                    store.is_empty() || store.size() == normal.size(),
                    "normal and anomalous images differ in size"
                );
                store.len()
            }
            Anomalies::None | Anomalies::Elastic(_) | Anomalies::Perlin(_) => 0,
        };
        let schedule = Schedule {
            normal: normal.len(),
            anomalous: labelled,
            batch,
            order,
            seed,
        };
        Self {
            normal,
            anomalies,
            schedule,
            with_normal: true,
            with_anomalous: true,
        }
    }

    /// The same batches without the pixels of normal images, for those whose features are at hand.
    pub fn without_normal(self) -> Self {
        Self {
            with_normal: false,
            ..self
        }
    }

    /// The same batches without the pixels of anomalous images, for those whose features are at hand.
    pub fn without_anomalous(self) -> Self {
        Self {
            with_anomalous: false,
            ..self
        }
    }

    /// Which images make up which step.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// The batches from `first_step` to the end of `epochs`, made ahead by threads. Starting in the middle of an epoch gives the same
    /// batches as running into it.
    pub fn prefetch(&self, first_step: u64, epochs: u64, ahead: Ahead) -> Prefetch<TrainBatch> {
        let own = self.clone();
        let bytes = self.bytes();
        let steps = self.schedule.steps(first_step, epochs);
        Prefetch::start(steps.map(move |step| (bytes, step)), ahead, move |step| {
            own.make(step)
        })
    }

    /// Bytes of a batch; one without pixels counts, too, so that not all indices of a training are drawn at once.
    fn bytes(&self) -> u64 {
        let batch = self.schedule.batch.get();
        let anomalous = match self.anomalies {
            Anomalies::None => 0,
            Anomalies::Labelled(_) => self.schedule.anomalous.min(batch),
            Anomalies::Elastic(_) | Anomalies::Perlin(_) => self.schedule.normal.min(batch),
        };
        let images = usize::from(self.with_normal) * self.schedule.normal.min(batch)
            + usize::from(self.with_anomalous) * anomalous;
        ((images * self.image_len() * size_of::<f32>()) as u64).max(LEAST_BYTES)
    }

    /// Values of an image.
    fn image_len(&self) -> usize {
        3 * self.normal.size() * self.normal.size()
    }

    /// The images of a step.
    fn make(&self, step: Step) -> TrainBatch {
        let normal = if self.with_normal {
            self.planes(&step.normal, |index, out| {
                normalise_pixels(self.normal.pixels(index), out);
            })
        } else {
            Vec::new()
        };
        let mut masks = Vec::new();
        let anomalous = match &self.anomalies {
            _ if !self.with_anomalous => Vec::new(),
            Anomalies::None => Vec::new(),
            Anomalies::Labelled(store) => self.planes(&step.anomalous, |index, out| {
                normalise_pixels(store.pixels(index), out);
            }),
            Anomalies::Elastic(transform) => {
                let mut warped = vec![0; self.image_len()];
                self.planes(&step.normal, |index, out| {
                    let address = [self.schedule.seed, step.epoch, index as u64];
                    let pixels = self.normal.pixels(index);
                    transform.apply_to(pixels, self.normal.size(), address, &mut warped);
                    normalise_pixels(&warped, out);
                })
            }
            Anomalies::Perlin(perlin) => {
                let size = self.normal.size();
                let mut drawn = vec![0; self.image_len()];
                masks.resize(step.normal.len() * size * size, 0.0);
                let mut of_images = masks.chunks_exact_mut(size * size);
                self.planes(&step.normal, |index, out| {
                    let address = [self.schedule.seed, step.epoch, index as u64];
                    let mask = of_images.next().unwrap_or_default();
                    perlin.apply_to(self.normal.pixels(index), size, address, &mut drawn, mask);
                    normalise_pixels(&drawn, out);
                })
            }
        };
        TrainBatch {
            step,
            normal,
            anomalous,
            masks,
        }
    }

    /// Images one after another, on this thread; parallelism is between batches.
    fn planes(&self, indices: &[usize], mut write: impl FnMut(usize, &mut [f32])) -> Vec<f32> {
        let mut out = vec![0.0; indices.len() * self.image_len()];
        for (&index, out) in indices.iter().zip(out.chunks_exact_mut(self.image_len())) {
            write(index, out);
        }
        out
    }
}
