//! `ckaad.metrics`: all of `ckaad-metrics`.

mod accumulators;
mod bootstrap;
mod calibration;
mod figures;
mod image;
mod maps;
mod pixel;
mod ranking;

pub(crate) use accumulators::{BinnedPixelAccumulator, PixelAccumulator};
pub(crate) use bootstrap::{Bootstrap, Interval};
pub(crate) use calibration::{Calibration, PromisedThreshold, ThresholdRule};
pub(crate) use figures::{
    AurocInterval, Binned, BinnedFigures, Confusion, OracleF1, OracleOperatingPoint, PairedDelong,
    PartialAuroc, PixelFigures,
};
pub(crate) use image::{
    PrecisionRecallCurve, RocCurve, auroc, auroc_delong, average_precision, delong_test,
    distinguishable, oracle_f1_max, oracle_sensitivity_at_specificity,
    oracle_specificity_at_sensitivity, partial_auroc, precision_recall_curve, roc_curve,
    wilson_interval,
};
pub(crate) use pixel::{
    aupro, aupro_binned, pixel_auroc, pixel_average_precision, pixel_oracle_f1_max, pro_of_map,
    pro_per_image,
};
pub(crate) use ranking::PixelRanking;
