//! Anomaly-detection metrics, exact and named after their definitions: slices in, numbers out.
//!
//! Labels are `true` for anomalous, the positive class; higher scores are more anomalous; predicted anomalous means
//! `score >= threshold`; equal scores share one threshold. What is undefined is a typed
//! [`MetricError`] that says where, never a silent 0, 0.5 or 1. Figures whose threshold the evaluated labels chose
//! carry `oracle` in their name.
//!
//! | for | there is |
//! |---|---|
//! | images | [`auroc`], [`average_precision`], [`oracle_f1_max`], [`partial_auroc`], [`roc_curve`], [`precision_recall_curve`], [`oracle_sensitivity_at_specificity`], [`oracle_specificity_at_sensitivity`] |
//! | a given threshold | [`Confusion`]: accuracy, sensitivity, specificity, F1 |
//! | choosing a threshold on other data | [`ThresholdRule`]; with a promise on false alarms: [`Calibration`] |
//! | uncertainty | [`auroc_delong`], [`delong_test`], [`distinguishable`], [`Bootstrap`]; of a share: [`wilson_interval`] |
//! | pixels and regions | [`pixel_auroc`], [`pixel_average_precision`], [`pixel_oracle_f1_max`], [`aupro`], [`aupro_binned`], [`pro_per_image`]; all exact ones from one sort: [`PixelRanking`] |
//! | sets that come image by image | [`PixelAccumulator`], exact; [`BinnedPixelAccumulator`], in bounded memory |
//!
//! ```
//! use ckaad_metrics::{Confusion, ThresholdRule, auroc};
//! let (validation, validation_labels) = ([0.2_f32, 0.1, 0.7, 0.4], [false, false, true, true]);
//! let (test, test_labels) = ([0.3_f32, 0.5, 0.6, 0.9], [false, false, true, true]);
//! assert_eq!(auroc(&test, &test_labels)?, 1.0);
//! let threshold = ThresholdRule::MaxF1.fit(&validation, &validation_labels)?;
//! let at = Confusion::at_threshold(&test, &test_labels, threshold)?;
//! assert_eq!((at.sensitivity()?, at.specificity()?), (1.0, 0.5));
//! # Ok::<(), ckaad_metrics::MetricError>(())
//! ```
//!
//! # How it works
//! Scores become integers of the same order. Anomalous ones are sorted into one sequence, normal ones in runs that
//! need no merging, because all that any figure asks is how many normal scores lie above, and at, each
//! score that an anomalous sample has. Every figure is then one walk over those scores. Counts are integers, so
//! results do not depend on threads, shards or order.

mod accumulate;
mod binned;
mod bootstrap;
mod bounds;
mod conformal;
mod confusion;
mod curve;
mod delong;
mod error;
mod image_level;
mod map;
mod operating_point;
mod pixel_level;
mod pixel_ranking;
mod pro_per_image;
mod proportion;
mod radix;
mod ranking;
mod regions;
mod score;
mod sweep;
mod threshold;

pub use accumulate::PixelAccumulator;
pub use binned::{Binned, BinnedFigures, BinnedPixelAccumulator};
pub use bootstrap::{Bootstrap, Interval};
pub use conformal::{Calibration, PromisedThreshold};
pub use confusion::Confusion;
pub use curve::{PrecisionRecallCurve, RocCurve, precision_recall_curve, roc_curve};
pub use delong::{AurocInterval, PairedDelong, auroc_delong, delong_test, distinguishable};
pub use error::{Class, MetricError};
pub use image_level::{
    OracleF1, PartialAuroc, auroc, average_precision, oracle_f1_max, partial_auroc,
};
pub use map::AnnotatedMap;
pub use operating_point::{
    OracleOperatingPoint, oracle_sensitivity_at_specificity, oracle_specificity_at_sensitivity,
};
pub use pixel_level::{
    aupro, aupro_binned, pixel_auroc, pixel_average_precision, pixel_oracle_f1_max,
};
pub use pixel_ranking::{PixelFigures, PixelRanking};
pub use pro_per_image::{pro_of_map, pro_per_image};
pub use proportion::wilson_interval;
pub use regions::Connectivity;
pub use score::Score;
pub use threshold::ThresholdRule;

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
