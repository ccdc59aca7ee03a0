//! Anomaly-detection metrics: AUROC, AP, F1-max, AUPRO; slices in, numbers out.

mod accumulate;
mod confusion;
mod error;
mod image_level;
mod map;
mod pixel_level;
mod pro_per_image;
mod radix;
mod ranking;
mod regions;
mod score;
mod sweep;
mod threshold;

pub use accumulate::PixelAccumulator;
pub use confusion::Confusion;
pub use error::{Class, MetricError};
pub use image_level::{
    OracleF1, PartialAuroc, auroc, average_precision, oracle_f1_max, partial_auroc,
};
pub use map::AnnotatedMap;
pub use pixel_level::{
    PixelFigures, PixelRanking, aupro, pixel_auroc, pixel_average_precision, pixel_oracle_f1_max,
};
pub use pro_per_image::{pro_of_map, pro_per_image};
pub use regions::Connectivity;
pub use score::Score;
pub use threshold::ThresholdRule;
