//! The batches of a training, as a pure function of the step.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::batches::{anomalous_batch, epoch_batches, once, steps_per_epoch};
use crate::elastic::ElasticTransform;
use crate::normalise::normalise_pixels;
use crate::prefetch::Prefetch;
use crate::store::ImageStore;

/// Where the anomalous images of a step come from.
#[derive(Clone, Debug)]
pub enum Anomalies {
    /// There are none.
    None,
    /// Labelled images, in an endless row of shuffled passes.
    Labelled(Arc<ImageStore>),
    /// Elastic transforms of the normal images of the same step.
    Elastic(ElasticTransform),
}

/// How often a training sees its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Every image exactly once, in order.
    Once,
    /// In epochs, each shuffled by (seed, epoch); anomalous images in an endless row of shuffled passes.
    Shuffled,
}

/// Which images a training wants as pixels; of the others it only wants to know which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// The normal ones.
    pub normal: bool,
    /// The labelled anomalous ones. Those that are made of normal ones always come as pixels.
    pub anomalous: bool,
}

/// One training step: which images it sees, and those that are wanted as pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainBatch {
    /// Number of the step from the start of the training.
    pub step: u64,
    /// Epoch that it belongs to, from 0.
    pub epoch: u64,
    /// Indices of the normal images.
    pub normal_indices: Vec<usize>,
    /// Indices of the labelled anomalous images.
    pub anomalous_indices: Vec<usize>,
    /// Normalised normal images, [normal_indices.len(), 3, size, size]; empty if they are not wanted.
    pub normal: Vec<f32>,
    /// Normalised anomalous images, [m, 3, size, size]; empty if there are none, or they are not wanted.
    pub anomalous: Vec<f32>,
}

/// Makes the batches of a training: any step at any time, always the same. This is the one place where their order is chosen.
#[derive(Clone, Debug)]
pub struct TrainBatches {
    normal: Arc<ImageStore>,
    anomalies: Anomalies,
    batch: NonZeroUsize,
    order: Order,
    seed: u64,
    pixels: Pixels,
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
        if let Anomalies::Labelled(store) = &anomalies {
            assert!(
                store.is_empty() || store.size() == normal.size(),
                "normal and anomalous images differ in size"
            );
        }
        Self {
            normal,
            anomalies,
            batch,
            order,
            seed,
            pixels: Pixels {
                normal: true,
                anomalous: true,
            },
        }
    }

    /// The same batches with other pixels.
    pub fn with_pixels(self, pixels: Pixels) -> Self {
        Self { pixels, ..self }
    }

    /// Steps of an epoch; 0 only without normal images.
    pub fn steps_per_epoch(&self) -> usize {
        let (images, batch) = (self.normal.len(), self.batch.get());
        match self.order {
            Order::Once => images.div_ceil(batch),
            Order::Shuffled => steps_per_epoch(images, batch),
        }
    }

    /// Makes the batch of a step, counted from the start of the training.
    ///
    /// # Panics
    /// If there are no normal images.
    pub fn make(&self, step: u64) -> TrainBatch {
        let steps = self.steps_per_epoch() as u64;
        assert!(steps > 0, "there are no normal images to train on");
        let (epoch, within) = (step / steps, (step % steps) as usize);
        let labelled = match &self.anomalies {
            Anomalies::Labelled(store) => store.len(),
            Anomalies::None | Anomalies::Elastic(_) => 0,
        };
        let (images, batch) = (self.normal.len(), self.batch.get());
        let (normal_indices, anomalous_indices) = match self.order {
            Order::Once => once(images, labelled, batch, within),
            Order::Shuffled => (
                epoch_batches(images, batch, self.seed, epoch).swap_remove(within),
                anomalous_batch(labelled, batch, self.seed, step),
            ),
        };
        let wanted = |wanted: bool, indices: &[usize], store: &ImageStore| match wanted {
            true => planes(indices, store),
            false => Vec::new(),
        };
        let anomalous = match &self.anomalies {
            Anomalies::None => Vec::new(),
            Anomalies::Labelled(store) => wanted(self.pixels.anomalous, &anomalous_indices, store),
            Anomalies::Elastic(transform) => self.warped(&normal_indices, transform, epoch),
        };
        TrainBatch {
            step,
            epoch,
            normal: wanted(self.pixels.normal, &normal_indices, &self.normal),
            normal_indices,
            anomalous_indices,
            anomalous,
        }
    }

    /// The batches from `first_step` to the end of `epochs`, made ahead by threads. Starting in the middle of an epoch gives the same
    /// batches as running into it.
    pub fn prefetch(
        &self,
        first_step: u64,
        epochs: u64,
        workers: NonZeroUsize,
        ahead: NonZeroUsize,
    ) -> Prefetch<TrainBatch> {
        let own = self.clone();
        let end = epochs * self.steps_per_epoch() as u64;
        Prefetch::start(
            first_step..end.max(first_step),
            workers,
            ahead,
            move |step| own.make(step),
        )
    }

    /// Elastic transforms of images, by (seed, epoch, index).
    fn warped(&self, indices: &[usize], transform: &ElasticTransform, epoch: u64) -> Vec<f32> {
        let size = self.normal.size();
        let mut out = vec![0.0; indices.len() * size * size * 3];
        let mut warped = vec![0; size * size * 3];
        for (&index, out) in indices.iter().zip(out.chunks_exact_mut(size * size * 3)) {
            transform.apply_to(
                self.normal.pixels(index),
                size,
                [self.seed, epoch, index as u64],
                &mut warped,
            );
            normalise_pixels(&warped, out);
        }
        out
    }
}

/// Normalised images on this thread; parallelism is between batches.
fn planes(indices: &[usize], store: &ImageStore) -> Vec<f32> {
    let image_len = store.size() * store.size() * 3;
    let mut out = vec![0.0; indices.len() * image_len];
    for (&index, out) in indices.iter().zip(out.chunks_exact_mut(image_len)) {
        normalise_pixels(store.pixels(index), out);
    }
    out
}
