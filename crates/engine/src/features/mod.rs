//! Frozen features of a list of images: computed once and kept, since they never change.

mod folder;
mod precision;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::Backbone;
use ckaad_data::ImageStore;
use rayon::prelude::*;

use crate::event::{Event, Observer};
use crate::{Config, EngineError};
use folder::{FeatureFolder, Key};
pub use precision::FeaturePrecision;
use precision::Record;

/// Images per forward pass where no training step says how many.
pub(crate) const CHUNK: usize = 16;

/// Makes the feature banks of a run, which share what memory may be used.
pub(crate) struct FeatureCache<'a> {
    backbone: &'a Backbone,
    device: &'a Device,
    observer: Observer<'a>,
    precision: FeaturePrecision,
    /// Bytes of memory that are left.
    memory: u64,
    folder: Option<&'a Path>,
    enabled: bool,
}

/// The images of a list, and their features where they are kept.
pub(crate) struct FeatureBank {
    images: Arc<ImageStore>,
    /// `[channels, height, width]` of each scale, fine to coarse.
    shapes: Vec<[usize; 3]>,
    kept: Kept,
}

enum Kept {
    /// Nothing: features are computed when they are asked for.
    Nothing,
    Memory(Vec<Record>),
    Disk(FeatureFolder, Vec<Key>),
}

impl<'a> FeatureCache<'a> {
    pub(crate) fn new(
        config: &'a Config,
        backbone: &'a Backbone,
        device: &'a Device,
        observer: Observer<'a>,
    ) -> Self {
        Self {
            backbone,
            device,
            observer,
            precision: config.feature_precision,
            memory: (config.feature_cache_mib as u64) << 20,
            folder: config.feature_cache_dir.as_deref(),
            enabled: config.feature_cache_mib > 0,
        }
    }

    /// Features in memory if they fit, else on disk; in the folder for later runs if the run has one.
    ///
    /// # Errors
    /// [`EngineError::Io`] if features cannot be written.
    pub(crate) fn bank(&mut self, images: Arc<ImageStore>) -> Result<FeatureBank, EngineError> {
        let shapes = shapes(self.backbone, images.size());
        let mut bank = FeatureBank {
            images,
            shapes,
            kept: Kept::Nothing,
        };
        if !self.enabled || bank.images.is_empty() {
            return Ok(bank);
        }
        let bytes = (bank.images.len() * bank.values() * self.precision.bytes()) as u64;
        let fits = bytes <= self.memory;
        let device = format!("{:?}", self.device);
        let folder = match self.folder {
            Some(path) => Some(FeatureFolder::lasting(
                path.to_owned(),
                self.backbone,
                self.precision,
                &device,
            )?),
            None if fits => None,
            None => {
                let folder =
                    FeatureFolder::temporary(bytes, self.backbone, self.precision, &device)?;
                if folder.is_none() {
                    return Ok(bank);
                }
                folder
            }
        };
        let keys = folder
            .as_ref()
            .map_or_else(Vec::new, |folder| bank.keys(folder));
        let mut records = Vec::new();
        let indices: Vec<usize> = (0..bank.images.len()).collect();
        for chunk in indices.chunks(CHUNK) {
            let found = self.chunk(&bank, folder.as_ref(), &keys, chunk, fits)?;
            records.extend(found);
            (self.observer)(Event::Progress {
                what: "computing features",
                done: chunk.last().map_or(0, |last| last + 1),
                total: indices.len(),
            });
        }
        bank.kept = match folder {
            _ if fits => {
                self.memory -= bytes;
                Kept::Memory(records)
            }
            Some(folder) => Kept::Disk(folder, keys),
            None => Kept::Nothing,
        };
        Ok(bank)
    }

    /// The features of some images, found in the folder or computed and put there; empty if they are not `wanted`.
    fn chunk(
        &self,
        bank: &FeatureBank,
        folder: Option<&FeatureFolder>,
        keys: &[Key],
        indices: &[usize],
        wanted: bool,
    ) -> Result<Vec<Record>, EngineError> {
        let values = bank.values();
        let mut found: Vec<Option<Record>> = vec![None; indices.len()];
        let mut missing: Vec<usize> = (0..indices.len()).collect();
        if let Some(folder) = folder {
            if wanted {
                found = indices
                    .par_iter()
                    .map(|&index| folder.read(keys[index], values))
                    .collect();
                missing.retain(|&at| found[at].is_none());
            } else {
                missing.retain(|&at| !folder.holds(keys[indices[at]], values));
            }
        }
        if !missing.is_empty() {
            let of: Vec<usize> = missing.iter().map(|&at| indices[at]).collect();
            let computed = bank.compute(&of, self.backbone, self.device, self.precision);
            for (at, record) in missing.into_iter().zip(computed) {
                if let Some(folder) = folder {
                    folder.write(keys[indices[at]], &record)?;
                }
                found[at] = Some(record);
            }
        }
        Ok(if wanted {
            found.into_iter().flatten().collect()
        } else {
            Vec::new()
        })
    }
}

impl FeatureBank {
    /// The images.
    pub(crate) fn images(&self) -> &Arc<ImageStore> {
        &self.images
    }

    /// Whether the features are kept, so that the images are not needed.
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self.kept, Kept::Nothing)
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
        match &self.kept {
            Kept::Nothing => backbone.forward(images(&self.images, indices, device)),
            Kept::Memory(records) => {
                let records: Vec<&Record> = indices.iter().map(|&index| &records[index]).collect();
                self.tensors(&records, device)
            }
            Kept::Disk(folder, keys) => {
                let values = self.values();
                let read: Option<Vec<Record>> = indices
                    .par_iter()
                    .map(|&index| folder.read(keys[index], values))
                    .collect();
                match read {
                    Some(read) => self.tensors(&read.iter().collect::<Vec<_>>(), device),
                    None => {
                        tracing::warn!("kept features have gone; computing them again");
                        backbone.forward(images(&self.images, indices, device))
                    }
                }
            }
        }
    }

    /// Values of one image at all scales.
    fn values(&self) -> usize {
        self.shapes
            .iter()
            .map(|shape| shape.iter().product::<usize>())
            .sum()
    }

    fn keys(&self, folder: &FeatureFolder) -> Vec<Key> {
        (0..self.len())
            .into_par_iter()
            .map(|index| folder.key(self.images.pixels(index)))
            .collect()
    }

    fn compute(
        &self,
        indices: &[usize],
        backbone: &Backbone,
        device: &Device,
        precision: FeaturePrecision,
    ) -> Vec<Record> {
        let mut values = vec![Vec::with_capacity(self.values()); indices.len()];
        for scale in backbone.forward(images(&self.images, indices, device)) {
            let length: usize = scale.dims()[1..].iter().product();
            let data = scale.into_data().convert::<f32>();
            let all: Vec<f32> = data.iter::<f32>().collect();
            for (values, scale) in values.iter_mut().zip(all.chunks_exact(length)) {
                values.extend_from_slice(scale);
            }
        }
        values
            .into_iter()
            .map(|values| Record::new(values, precision))
            .collect()
    }

    fn tensors(&self, records: &[&Record], device: &Device) -> Vec<Tensor<4>> {
        let mut first = 0;
        self.shapes
            .iter()
            .map(|&[channels, height, width]| {
                let length = channels * height * width;
                let mut values = vec![0.0; records.len() * length];
                values
                    .par_chunks_exact_mut(length)
                    .zip(records)
                    .for_each(|(out, record)| record.read(first, out));
                first += length;
                let shape = [records.len(), channels, height, width];
                Tensor::from_data(TensorData::new(values, shape), device)
            })
            .collect()
    }
}

/// Some images of a store, normalised: `[batch, 3, size, size]`.
pub(crate) fn images(store: &ImageStore, indices: &[usize], device: &Device) -> Tensor<4> {
    let size = store.size();
    let mut values = vec![0.0; indices.len() * 3 * size * size];
    store.normalise_into(indices, &mut values);
    tensor(values, size, device)
}

/// Normalised square images as a tensor `[batch, 3, size, size]`.
pub(crate) fn tensor(values: Vec<f32>, size: usize, device: &Device) -> Tensor<4> {
    let shape = [values.len() / (3 * size * size), 3, size, size];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// `[channels, height, width]` of each scale.
fn shapes(backbone: &Backbone, image_size: usize) -> Vec<[usize; 3]> {
    let config = backbone.config();
    let stages = config.stages.iter().zip(config.channels());
    stages
        .map(|(&stage, channels)| {
            let side = image_size >> (stage + 1);
            [channels, side, side]
        })
        .collect()
}
