//! Images and masks to batches: dataset layouts, splits, weak labels, elastic-transform anomalies.
//!
//! The flow: a [`Layout`] is opened as a [`Dataset`] (lists of [`Sample`]s), a [`Protocol`] chooses a [`Split`] from it, an [`ImageStore`]
//! decodes the chosen images once to resized u8, [`epoch_batches`] and [`anomalous_batch`] say which images make up a step, and
//! [`normalise`] turns bytes into the numbers that a backbone expects. Buffers are plain slices; no tensor library is involved.
//!
//! ```no_run
//! use ckaad_data::{Dataset, ImageStore, Layout, Protocol, StoreOptions, epoch_batches};
//!
//! let dataset = Dataset::open(Layout::ChestXRay2017, "chest_xray".as_ref(), None)?;
//! let split = Protocol { labelled_ratio: 0.05, seed: 111, ..Protocol::default() }.split(&dataset)?;
//! let (store, _) = ImageStore::load(&split.normal, StoreOptions { size: 128, ..StoreOptions::DEFAULT }, None)?;
//! for batch in epoch_batches(store.len(), 32, 111, 0) {
//!     let mut planes = vec![0.0; batch.len() * 3 * 128 * 128];
//!     store.normalise_into(&batch, &mut planes);
//! }
//! # Ok::<(), ckaad_data::DataError>(())
//! ```

mod atomic;
mod backing;
mod batches;
pub mod datasets;
mod decode;
mod elastic;
mod error;
mod files;
mod image;
mod jpeg;
mod layout;
mod mask;
mod normalise;
#[doc(hidden)]
pub mod parsers;
mod prefetch;
mod protocol;
mod random;
mod resize;
mod sample;
mod simd;
mod split;
mod store;
mod synth;
mod table;
mod train_batches;

pub use batches::{anomalous_batch, epoch_batches, steps_per_epoch};
pub use decode::PIXEL_LIMIT;
pub use elastic::{ElasticTransform, warp};
pub use error::DataError;
pub use files::{EXTENSIONS, is_image_name};
pub use image::{Image, Picture, load_image, load_picture};
pub use layout::{Dataset, FolderSource, Layout};
pub use mask::{Mask, MaskRule, NativeMask, load_mask, load_mask_native};
pub use normalise::{MEAN, STD, normalise, normalise_pixels};
pub use prefetch::Prefetch;
pub use protocol::{LabelledClasses, Protocol, ValidationRule};
pub use resize::resize;
pub use sample::{Label, Sample, Source};
pub use split::Split;
pub use store::{ImageStore, OnBad, Progress, Skipped, StoreOptions};
pub use synth::{StandIn, SynthSize, synth_demo, synth_layout};
pub use train_batches::{Anomalies, TrainBatch, TrainBatches};
