//! Anomaly-detection metrics: AUROC, AP, F1-max, AUPRO; slices in, numbers out.

mod accumulate;
mod binned;
mod bootstrap;
mod confusion;
mod curve;
mod delong;
mod error;
mod image_level;
mod map;
mod operating_point;
mod pixel_level;
mod pro_per_image;
mod radix;
mod ranking;
mod regions;
mod score;
mod sweep;
mod threshold;

pub use accumulate::PixelAccumulator;
pub use binned::{Binned, BinnedFigures, BinnedPixelAccumulator};
pub use bootstrap::{Bootstrap, Interval};
pub use confusion::Confusion;
pub use curve::{PrecisionRecallCurve, RocCurve, precision_recall_curve, roc_curve};
pub use delong::{AurocInterval, PairedDelong, auroc_delong, delong_test};
pub use error::{Class, MetricError};
pub use image_level::{
    OracleF1, PartialAuroc, auroc, average_precision, oracle_f1_max, partial_auroc,
};
pub use map::AnnotatedMap;
pub use operating_point::{
    OracleOperatingPoint, oracle_sensitivity_at_specificity, oracle_specificity_at_sensitivity,
};
pub use pixel_level::{
    PixelFigures, PixelRanking, aupro, aupro_binned, pixel_auroc, pixel_average_precision,
    pixel_oracle_f1_max,
};
pub use pro_per_image::{pro_of_map, pro_per_image};
pub use regions::Connectivity;
pub use score::Score;
pub use threshold::ThresholdRule;
