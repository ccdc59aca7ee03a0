//! Where pretrained ResNet weights come from.
//!
//! A weights file is looked for in this order:
//!
//! 1. the file the user names (`--weights FILE`),
//! 2. the folder `$CKAAD_WEIGHTS`,
//! 3. the user's cache folder, `ckaad/weights` inside it,
//! 4. torchvision's published address, from which it is downloaded into the cache folder.
//!
//! In both folders `<variant>.safetensors` comes before `<variant>.pth`, and that before the published file name
//! (`resnet18-f37072fd.pth`). [`Lookup::find`] does steps 1 to 3 and never uses the network; [`Lookup::fetch`] adds
//! step 4 and is the only code of `ckaad` that uses the network.
//!
//! A published file name carries the first eight hex digits of its SHA-256. They are checked by [`Lookup::fetch`], for
//! a download and for a file that is already there, but not by [`Lookup::find`]: hashing a file of some hundred
//! megabytes on every start is not worth its time. Files under the other names are the user's own and are not checked.
//!
//! ```no_run
//! use ckaad_backbone::{ResNetVariant, weights::{DownloadOptions, Lookup}};
//!
//! let lookup = Lookup::from_environment();
//! let file = match lookup.find(ResNetVariant::ResNet18, None)? {
//!     Some(file) => file,
//!     None => lookup.fetch(
//!         ResNetVariant::ResNet18,
//!         &mut |progress| eprintln!("{} bytes", progress.bytes),
//!         &DownloadOptions::default(),
//!     )?,
//! };
//! # Ok::<(), ckaad_backbone::weights::WeightsError>(())
//! ```

mod download;
mod error;
mod lookup;
mod published;
pub(crate) mod sha256;

pub use download::{DownloadOptions, Progress};
pub use error::WeightsError;
pub use lookup::{Lookup, WEIGHTS_FOLDER_VARIABLE, WeightsInfo};
pub use published::{Published, published};
