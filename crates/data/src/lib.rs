//! Images and masks to batches: dataset layouts, splits, weak labels, made-up anomalies.
//!
//! The flow: a [`Layout`] is opened as a [`Dataset`] (lists of [`Sample`]s), a [`Protocol`] chooses a [`Split`] from it, an [`ImageStore`]
//! decodes the chosen images once to resized u8, a [`Schedule`] says which images make up a step, [`TrainBatches`] makes them ahead, and
//! [`normalise`] turns bytes into the numbers that a backbone expects. Buffers are plain slices; no tensor library is involved.
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::sync::Arc;
//!
//! use ckaad_data::{
//!     Ahead, Anomalies, Dataset, ImageStore, Labelled, Layout, Order, Protocol, StandIn, StoreOptions, TrainBatches, synth_layout,
//! };
//!
//! // A small synthetic stand-in takes the place of the real data set here.
//! let folder = tempfile::tempdir()?;
//! synth_layout(Layout::ChestXRay2017, &[], folder.path(), 7, StandIn { side: 64, train: 20, test: 2 })?;
//!
//! let dataset = Dataset::open(Layout::ChestXRay2017, folder.path(), None)?;
//! let split = Protocol { labelled: Labelled::Ratio(0.1), seed: 111, ..Protocol::default() }.split(&dataset)?;
//! assert_eq!((split.normal.len(), split.labelled.len(), split.validation.len(), split.test.len()), (18, 2, 4, 4));
//!
//! let options = StoreOptions { size: 32, ..StoreOptions::DEFAULT };
//! let (normal, _) = ImageStore::load(&split.normal, options, None)?;
//! let (labelled, _) = ImageStore::load(&split.labelled, options, None)?;
//!
//! let two = NonZeroUsize::MIN.saturating_add(1);
//! let eight = NonZeroUsize::MIN.saturating_add(7);
//! let batches = TrainBatches::new(Arc::new(normal), Anomalies::Labelled(Arc::new(labelled)), eight, Order::Shuffled, 111);
//! // Two epochs of two steps, made ahead by two threads, in an order that does not depend on them.
//! for batch in batches.prefetch(0, 2, Ahead { workers: two, bytes: 1 << 20 }) {
//!     assert_eq!((batch.normal.len(), batch.anomalous.len()), (8 * 3 * 32 * 32, 2 * 3 * 32 * 32));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod controls;
pub mod datasets;
mod decode;
mod digest;
mod elastic;
mod error;
mod feature_noise;
mod find_files;
mod finding;
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod image;
mod jpeg;
mod labelled_ratio;
mod layout;
mod listing;
mod mask;
mod mask_check;
mod mask_names;
mod mask_problem;
mod normalise;
mod perlin;
mod prefetch;
mod protocol;
mod random;
mod reading;
mod regions;
mod resize;
mod room;
mod same_content;
mod sample;
mod schedule;
mod simd;
mod split;
mod store;
mod synth;
mod table;
mod train_batches;

pub use controls::{CONTROLS, Controls};
pub use decode::PIXEL_LIMIT;
pub use elastic::{ElasticTransform, warp};
pub use error::{Cause, DataError};
pub use feature_noise::FeatureNoise;
pub use find_files::{EXTENSIONS, is_image_name};
pub use finding::{DataAccount, Finding, FindingKind};
pub use groups::groups;
pub use image::{
    DECODING_BYTES, Image, Loader, Picture, load_image, load_picture, picture_size, pixel_count,
};
pub use labelled_ratio::{Labelled, require_labelled};
pub use layout::{Dataset, FolderSource, Layout};
pub use listing::{LeftOut, LeftOutCounts, Listing, list_images};
pub use mask::{Mask, MaskResize, MaskRule, NativeMask, load_mask, load_mask_native};
pub use mask_check::check_masks;
pub use mask_problem::MaskProblem;
pub use normalise::{MEAN, STD, normalise, normalise_pixels};
pub use perlin::{PerlinAnomalies, PerlinNoise, Textures};
pub use prefetch::{Ahead, Prefetch};
pub use protocol::{LabelledClasses, Protocol, ValidationRule};
pub use reading::{Orientation, Reading, SixteenBit, Window};
pub use resize::resize;
pub use same_content::{COMPARED, check_content, near_duplicates};
pub use sample::{Label, Sample, Source};
pub use schedule::{Order, Schedule, Step, draw};
pub use split::Split;
pub use store::{ImageStore, OnBad, Progress, Skipped, StoreOptions};
pub use synth::{StandIn, SynthSize, synth_demo, synth_layout};
pub use train_batches::{Anomalies, TrainBatch, TrainBatches};
