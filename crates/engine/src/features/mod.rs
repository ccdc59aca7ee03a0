//! Frozen features of a list of images: computed once and kept where they fit, since they never change.

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::Backbone;
use ckaad_data::ImageStore;

use crate::event::{Event, Observer};

/// Images per forward pass where no training step says how many.
pub(crate) const CHUNK: usize = 16;

/// The images of a list, and their features where they are kept.
pub(crate) struct FeatureBank {
    images: ImageStore,
    cache: Option<Vec<Scale>>,
}

/// The features of all images at one scale.
struct Scale {
    shape: [usize; 3],
    /// `images * channels * height * width` values.
    values: Vec<f32>,
}

impl FeatureBank {
    /// Computes the features of all images now if they take at most `limit` bytes, else in each call of
    /// [`batch`](Self::batch).
    pub(crate) fn new(
        images: ImageStore,
        backbone: &Backbone,
        device: &Device,
        limit: u64,
        observer: Observer<'_>,
    ) -> Self {
        let bytes = 4 * images.len() as u64 * values_per_image(backbone, images.size()) as u64;
        let mut bank = Self {
            images,
            cache: None,
        };
        if bytes <= limit && !bank.images.is_empty() {
            bank.fill(backbone, device, observer);
        }
        bank
    }

    fn fill(&mut self, backbone: &Backbone, device: &Device, observer: Observer<'_>) {
        let count = self.images.len();
        let mut scales: Vec<Scale> = Vec::new();
        let indices: Vec<usize> = (0..count).collect();
        for chunk in indices.chunks(CHUNK) {
            let features = backbone.forward(images(&self.images, chunk, device));
            for (index, feature) in features.into_iter().enumerate() {
                let [_, channels, height, width] = feature.dims();
                if index == scales.len() {
                    let shape = [channels, height, width];
                    let values = Vec::with_capacity(count * channels * height * width);
                    scales.push(Scale { shape, values });
                }
                let data = feature.into_data().convert::<f32>();
                scales[index].values.extend(data.iter::<f32>());
            }
            let done = chunk.last().map_or(count, |last| last + 1);
            observer(Event::Progress {
                what: "computing features",
                done,
                total: count,
            });
        }
        self.cache = Some(scales);
    }

    pub(crate) fn images(&self) -> &ImageStore {
        &self.images
    }

    /// Memory that the kept features take.
    pub(crate) fn cached_bytes(&self) -> u64 {
        let values = |scales: &Vec<Scale>| {
            scales
                .iter()
                .map(|scale| scale.values.len() as u64)
                .sum::<u64>()
        };
        4 * self.cache.as_ref().map_or(0, values)
    }

    pub(crate) fn len(&self) -> usize {
        self.images.len()
    }

    /// The features of some images, fine to coarse.
    pub(crate) fn batch(
        &self,
        indices: &[usize],
        backbone: &Backbone,
        device: &Device,
    ) -> Vec<Tensor<4>> {
        match &self.cache {
            None => backbone.forward(images(&self.images, indices, device)),
            Some(scales) => scales
                .iter()
                .map(|scale| scale.batch(indices, device))
                .collect(),
        }
    }
}

impl Scale {
    fn batch(&self, indices: &[usize], device: &Device) -> Tensor<4> {
        let [channels, height, width] = self.shape;
        let length = channels * height * width;
        let mut values = Vec::with_capacity(indices.len() * length);
        for &index in indices {
            values.extend_from_slice(&self.values[index * length..(index + 1) * length]);
        }
        Tensor::from_data(
            TensorData::new(values, [indices.len(), channels, height, width]),
            device,
        )
    }
}

/// Some images of a store, normalised: `[batch, 3, size, size]`.
pub(crate) fn images(store: &ImageStore, indices: &[usize], device: &Device) -> Tensor<4> {
    let size = store.size();
    let mut values = vec![0.0; indices.len() * 3 * size * size];
    store.normalise_into(indices, &mut values);
    Tensor::from_data(
        TensorData::new(values, [indices.len(), 3, size, size]),
        device,
    )
}

fn values_per_image(backbone: &Backbone, image_size: usize) -> usize {
    let config = backbone.config();
    config
        .stages
        .iter()
        .zip(config.channels())
        .map(|(&stage, channels)| channels * (image_size >> (stage + 1)).pow(2))
        .sum()
}
