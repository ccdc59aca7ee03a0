//! Where features are kept: in memory, in a temporary file, and in a folder that outlasts the run.

use std::sync::Arc;

use ckaad_backbone::Backbone;
use ckaad_data::ImageStore;
use ckaad_files::Buffer;
use rayon::prelude::*;

use super::folder::FeatureFolder;
use super::precision::FeaturePrecision;
use super::{CHUNK, FeatureBank, Kept, images};
use crate::training::{Event, TrainContext, check_stop};
use crate::{CheckedConfig, EngineError};

/// The room for the features of a run: its banks share the memory that may be used.
pub(crate) struct FeatureStorage<'a> {
    with: TrainContext<'a>,
    precision: FeaturePrecision,
    /// Bytes of memory that are left; `None` where nothing is to be kept.
    memory: Option<u64>,
    folder: Option<FeatureFolder>,
}

impl<'a> FeatureStorage<'a> {
    /// # Errors
    /// [`EngineError::Io`] if the run has a folder for features that cannot be made.
    pub(crate) fn new(
        config: &CheckedConfig,
        fingerprint: &str,
        with: TrainContext<'a>,
    ) -> Result<Self, EngineError> {
        let precision = config.feature_precision;
        let open = |path: &std::path::PathBuf| {
            let device = format!("{:?}", with.device);
            FeatureFolder::open(path.clone(), with.backbone, fingerprint, precision, &device)
        };
        Ok(Self {
            with,
            precision,
            memory: (config.feature_cache_mib > 0)
                .then_some((config.feature_cache_mib as u64) << 20),
            folder: config.feature_cache_dir.as_ref().map(open).transpose()?,
        })
    }

    /// The features of all images, in memory if they fit, else in a temporary file, else not kept.
    ///
    /// # Errors
    /// [`EngineError::Data`] if features cannot be written into the run's folder for them, [`EngineError::StoppedEarly`].
    pub(crate) fn keep(&mut self, images: Arc<ImageStore>) -> Result<FeatureBank, EngineError> {
        let mut bank = self.without_features(images);
        if !bank.images.is_empty()
            && let Some(mut features) = self.room(&bank)
        {
            self.fill(&bank, features.bytes_mut())?;
            bank.kept = Some(Kept {
                precision: self.precision,
                features,
            });
        }
        Ok(bank)
    }

    /// The images alone.
    pub(crate) fn without_features(&self, images: Arc<ImageStore>) -> FeatureBank {
        FeatureBank {
            shapes: shapes(self.with.backbone, images.size()),
            images,
            kept: None,
        }
    }

    /// Room for a bank's features, unless nothing is to be kept or there is none.
    fn room(&mut self, bank: &FeatureBank) -> Option<Buffer> {
        let memory = self.memory.as_mut()?;
        let bytes = (bank.len() * bank.values() * self.precision.bytes()) as u64;
        if bytes <= *memory {
            *memory -= bytes;
            return Buffer::new(bytes, bytes).ok();
        }
        let folder = std::env::temp_dir();
        let free = ckaad_files::free_space(&folder).unwrap_or(0);
        let buffer = match bytes <= free / 2 {
            true => Buffer::new(bytes, 0).map_err(|error| error.to_string()),
            false => Err(format!("{} MiB are free there", free >> 20)),
        };
        buffer
            .inspect_err(|reason| {
                tracing::warn!(
                    "{} MiB of features fit neither in memory (feature_cache_mib) nor in half of the space for temporary files \
                     ({}: {reason}); they are computed anew in every step",
                    bytes >> 20,
                    folder.display()
                );
            })
            .ok()
    }

    fn fill(&self, bank: &FeatureBank, features: &mut [u8]) -> Result<(), EngineError> {
        let image_len = bank.values() * self.precision.bytes();
        let indices: Vec<usize> = (0..bank.len()).collect();
        for (chunk, features) in indices
            .chunks(CHUNK)
            .zip(features.chunks_mut(CHUNK * image_len))
        {
            check_stop(self.with.stop)?;
            let found = self.find(bank, chunk, features, image_len);
            let missing: Vec<(usize, &mut [u8])> = chunk
                .iter()
                .copied()
                .zip(features.chunks_exact_mut(image_len))
                .zip(found)
                .filter_map(|(image, found)| (!found).then_some(image))
                .collect();
            self.compute(bank, missing)?;
            (self.with.observer)(Event::Progress {
                what: "preparing features",
                done: chunk.last().map_or(0, |last| last + 1),
                total: indices.len(),
            });
        }
        Ok(())
    }

    /// Reads what the folder holds, and says of which images.
    fn find(
        &self,
        bank: &FeatureBank,
        indices: &[usize],
        features: &mut [u8],
        image_len: usize,
    ) -> Vec<bool> {
        let Some(folder) = &self.folder else {
            return vec![false; indices.len()];
        };
        indices
            .par_iter()
            .zip(features.par_chunks_exact_mut(image_len))
            .map(|(&index, out)| {
                let found = folder.read(bank.images.pixels(index), image_len);
                found.inspect(|bytes| out.copy_from_slice(bytes)).is_some()
            })
            .collect()
    }

    /// Computes the features of some images, and writes them into the folder if there is one.
    fn compute(
        &self,
        bank: &FeatureBank,
        mut missing: Vec<(usize, &mut [u8])>,
    ) -> Result<(), EngineError> {
        if missing.is_empty() {
            return Ok(());
        }
        let of: Vec<usize> = missing.iter().map(|(index, _)| *index).collect();
        let mut first = 0;
        for scale in self
            .with
            .backbone
            .forward(images(&bank.images, &of, self.with.device))
        {
            let length: usize = scale.dims()[1..].iter().product();
            let within = first * self.precision.bytes()..(first + length) * self.precision.bytes();
            first += length;
            let data = scale.into_data().convert::<f32>();
            let values: Vec<f32> = data.iter::<f32>().collect();
            missing
                .par_iter_mut()
                .zip(values.par_chunks_exact(length))
                .for_each(|((_, out), values)| {
                    self.precision.store(values, &mut out[within.clone()]);
                });
        }
        match &self.folder {
            None => Ok(()),
            Some(folder) => missing.par_iter().try_for_each(|(index, features)| {
                folder.write(bank.images.pixels(*index), features)
            }),
        }
    }
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
