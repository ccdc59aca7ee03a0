//! Frozen features of a list of images: computed once and kept, since they never change.

mod folder;
mod precision;
mod storage;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_data::ImageStore;
use ckaad_files::Buffer;
use ckaad_ops::FeatureMap;
use rayon::prelude::*;

pub use precision::FeaturePrecision;
pub(crate) use storage::FeatureStorage;

/// Images per forward pass where no training step says how many.
pub(crate) const CHUNK: usize = 16;

/// The images of a list, and their features where they are kept.
pub(crate) struct FeatureBank {
    images: Arc<ImageStore>,
    /// `[channels, height, width]` of each scale, fine to coarse.
    shapes: Vec<[usize; 3]>,
    kept: Option<Kept>,
}

/// Image after image, the features of all scales.
struct Kept {
    precision: FeaturePrecision,
    features: Buffer,
}

impl FeatureBank {
    /// The images.
    pub(crate) fn images(&self) -> &Arc<ImageStore> {
        &self.images
    }

    /// Whether the features are kept, so that the images are not needed.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Lets go of the pixels if the features are kept.
    pub(crate) fn forget_pixels(&mut self) {
        if self.is_kept() {
            self.images = Arc::new(self.images.without_pixels());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.images.len()
    }

    /// The features of some images, fine to coarse, if they are kept.
    pub(crate) fn kept(&self, indices: &[usize], device: &Device) -> Option<Vec<FeatureMap>> {
        let Kept {
            precision,
            features,
        } = self.kept.as_ref()?;
        let image_len = self.values() * precision.bytes();
        let mut first = 0;
        let scale = |&[channels, height, width]: &[usize; 3]| {
            let length = channels * height * width;
            let within = first * precision.bytes()..(first + length) * precision.bytes();
            first += length;
            let mut values = vec![0.0; indices.len() * length];
            values
                .par_chunks_exact_mut(length)
                .zip(indices)
                .for_each(|(out, &index)| {
                    let image = &features.bytes()[index * image_len..][..image_len];
                    precision.load(&image[within.clone()], out);
                });
            let shape = [indices.len(), channels, height, width];
            FeatureMap::plain(Tensor::from_data(TensorData::new(values, shape), device))
        };
        Some(self.shapes.iter().map(scale).collect())
    }

    /// Values of one image at all scales.
    fn values(&self) -> usize {
        let values = |shape: &[usize; 3]| shape.iter().product::<usize>();
        self.shapes.iter().map(values).sum()
    }
}

/// Some images of a store, normalised: `[batch, 3, size, size]`.
pub(crate) fn images(store: &ImageStore, indices: &[usize], device: &Device) -> Tensor<4> {
    let size = store.size();
    let mut values = vec![0.0; indices.len() * 3 * size * size];
    store.normalise_into(indices, &mut values);
    tensor(values, size, device)
}

/// Masks of square images as a tensor `[batch, 1, size, size]`.
pub(crate) fn masks(values: Vec<f32>, size: usize, device: &Device) -> Tensor<4> {
    let shape = [values.len() / (size * size), 1, size, size];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Normalised square images as a tensor `[batch, 3, size, size]`.
pub(crate) fn tensor(values: Vec<f32>, size: usize, device: &Device) -> Tensor<4> {
    let shape = [values.len() / (3 * size * size), 3, size, size];
    Tensor::from_data(TensorData::new(values, shape), device)
}
