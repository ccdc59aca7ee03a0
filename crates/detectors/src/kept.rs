//! Feature maps of images, for systems that learn when they have seen all.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::pooling::values;
use crate::state::fits;
use crate::{DetectorError, Inputs, Setup, State};

/// The feature maps of all images seen, in memory.
pub(crate) struct Kept {
    /// `[channels, height, width]` of every scale.
    shapes: Vec<[usize; 3]>,
    /// Image after image, scale after scale.
    values: Vec<f32>,
}

impl Kept {
    /// Of no image.
    pub(crate) fn new(setup: &Setup<'_>) -> Self {
        Self {
            shapes: setup.shapes(),
            values: Vec::new(),
        }
    }

    /// Adds the images of a batch.
    pub(crate) fn add(&mut self, inputs: &Inputs) {
        let scales: Vec<Vec<f32>> = inputs.tensors().into_iter().map(values).collect();
        let images = inputs.features.first().map_or(0, |scale| scale.dims()[0]);
        self.values.reserve(images * self.image_len());
        for image in 0..images {
            for scale in &scales {
                let length = scale.len() / images;
                self.values
                    .extend_from_slice(&scale[image * length..][..length]);
            }
        }
    }

    /// How many images.
    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.image_len()
    }

    pub(crate) fn clear(&mut self) {
        self.values = Vec::new();
    }

    pub(crate) fn shapes(&self) -> &[[usize; 3]] {
        &self.shapes
    }

    /// The scales of an image, `[channels, height * width]` each.
    pub(crate) fn image(&self, index: usize) -> Vec<&[f32]> {
        let length = self.image_len();
        self.scales(&self.values[index * length..][..length])
    }

    /// The scales of all images, in order.
    pub(crate) fn images(&self) -> impl IndexedParallelIterator<Item = Vec<&[f32]>> {
        self.values
            .par_chunks_exact(self.image_len())
            .map(|image| self.scales(image))
    }

    /// Some of the images: `[images, channels, height, width]` of every scale.
    pub(crate) fn batch(&self, indices: &[usize], device: &Device) -> Vec<Tensor<4>> {
        let images: Vec<Vec<&[f32]>> = indices.iter().map(|&index| self.image(index)).collect();
        let scale = |(scale, &[channels, height, width]): (usize, &[usize; 3])| {
            let values: Vec<&[f32]> = images.iter().map(|image| image[scale]).collect();
            let shape = [images.len(), channels, height, width];
            Tensor::from_data(TensorData::new(values.concat(), shape), device)
        };
        self.shapes.iter().enumerate().map(scale).collect()
    }

    pub(crate) fn save(&self, part: &str, state: &mut State) {
        state.insert_values(part, &self.values);
    }

    pub(crate) fn restore(&mut self, part: &str, state: &mut State) -> Result<(), DetectorError> {
        self.values = state.take_values(part)?;
        fits(self.values.len().is_multiple_of(self.image_len()), part)
    }

    fn image_len(&self) -> usize {
        let length = |shape: &[usize; 3]| shape.iter().product::<usize>();
        self.shapes.iter().map(length).sum()
    }

    fn scales<'a>(&self, mut image: &'a [f32]) -> Vec<&'a [f32]> {
        let scale = |shape: &[usize; 3]| {
            let (scale, rest) = image.split_at(shape.iter().product());
            image = rest;
            scale
        };
        self.shapes.iter().map(scale).collect()
    }
}
