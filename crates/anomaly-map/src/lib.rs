//! Where an image is anomalous, and how much.
//!
//! - [`distances`]: `1 - cos` of features and reconstructions at every position (on the device).
//! - [`AnomalyMapper`]: brings the scales to one size, adds them and smooths the sum (on the CPU, all cores).
//! - [`ImageScore`]: one number per image from its map.
//! - [`gaussian_filter`], [`upsample`]: the two filters, equal to SciPy's and PyTorch's.
//!
//! ```
//! use ckaad_anomaly_map::{AnomalyMap, AnomalyMapper, ImageScore};
//!
//! let coarse = AnomalyMap { height: 2, width: 2, values: vec![0.0, 0.0, 0.0, 1.0] };
//! let map = AnomalyMapper::new(8, 8).map(&[coarse]);
//! assert!(map.values[63] > map.values[0]);
//! assert!(ImageScore::Mean.of(&map) > 0.0);
//! ```

mod distance;
mod gaussian;
mod mapper;
mod score;
mod upsample;

pub use distance::distances;
pub use gaussian::gaussian_filter;
pub use mapper::{AnomalyMap, AnomalyMapper};
pub use score::ImageScore;
pub use upsample::{Align, upsample};
