//! What can be wrong with the input of a metric, and where.

use std::fmt;

/// The class of an image or of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Free of anomalies; the negative class.
    Normal,
    /// Showing an anomaly; the positive class.
    Anomalous,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Anomalous => "anomalous",
        })
    }
}

/// Why a metric has no value for its input. Positions count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// There is nothing to measure.
    #[error("empty input: the metric of no samples is undefined")]
    Empty,
    /// One label per score is needed.
    #[error("{scores} scores but {labels} labels: give one label per score")]
    LengthMismatch {
        /// Number of scores given.
        scores: usize,
        /// Number of labels (or of the second model's scores) given.
        labels: usize,
    },
    /// A score is NaN or infinite and so has no place in a ranking.
    #[error("score {index} is {value}: scores must be finite")]
    NonFiniteScore {
        /// Index of the first such score.
        index: usize,
        /// The score.
        value: f64,
    },
    /// A pixel of an anomaly map is NaN or infinite.
    #[error(
        "image {image}, row {row}, column {column}: the score is {value}; scores must be finite"
    )]
    NonFinitePixel {
        /// Index of the image in the set.
        image: usize,
        /// Row of the first such pixel.
        row: usize,
        /// Its column.
        column: usize,
        /// The score.
        value: f32,
    },
    /// The metric compares two classes and only one is there.
    #[error("all {count} samples are {present}: the metric needs both normal and anomalous ones")]
    SingleClass {
        /// The class that is there.
        present: Class,
        /// Number of samples (images or pixels).
        count: u64,
    },
    /// The class that the figure is about is absent.
    #[error("no {missing} sample among {count}: the figure is undefined")]
    ClassMissing {
        /// The class that is not there.
        missing: Class,
        /// Number of samples.
        count: u64,
    },
    /// No mask marks a single pixel, so there is no region to cover.
    #[error(
        "no anomalous pixel in the masks of {images} images: localisation metrics need at least one"
    )]
    NoAnomalousPixel {
        /// Number of images in the set.
        images: usize,
    },
    /// An anomaly map does not have height x width scores.
    #[error("image {image}: {scores} scores for a map of {height} x {width}")]
    MapShape {
        /// Index of the image in the set.
        image: usize,
        /// Stated height.
        height: usize,
        /// Stated width.
        width: usize,
        /// Number of scores given.
        scores: usize,
    },
    /// A mask does not have height x width pixels.
    #[error("image {image}: the mask has {mask} pixels but its map is {height} x {width}")]
    MaskShape {
        /// Index of the image in the set.
        image: usize,
        /// Height of the map.
        height: usize,
        /// Width of the map.
        width: usize,
        /// Number of mask pixels given.
        mask: usize,
    },
    /// A map has more than 2^32 - 1 pixels.
    #[error("image {image}: more than 4294967295 pixels in one map are not supported")]
    TooLarge {
        /// Index of the image in the set.
        image: usize,
    },
    /// A variance needs at least two samples of each class.
    #[error("{found} {class} sample: the variance of the figure needs at least {needed}")]
    TooFew {
        /// The class with too few samples.
        class: Class,
        /// How many there are.
        found: u64,
        /// How many are needed.
        needed: u64,
    },
    /// Where a figure does not vary, its standard error says nothing.
    #[error("{what} has no variance in this set: an interval or a test based on it would mislead")]
    ZeroVariance {
        /// The figure.
        what: &'static str,
    },
    /// Two accumulators were set up differently.
    #[error("these accumulators cannot be merged: they differ in {what}")]
    Unmergeable {
        /// The setting that differs.
        what: &'static str,
    },
    /// The RD4AD-style curve of one image has no area: see [`pro_of_map`](crate::pro_of_map).
    #[error(
        "image {image}: its PRO curve is undefined ({reason}); leave the image out or report `aupro`"
    )]
    UndefinedPro {
        /// Index of the image in the set.
        image: usize,
        /// Which part of the definition fails.
        reason: &'static str,
    },
    /// A parameter lies outside its range.
    #[error("{name} is {value}: it must be {expected}")]
    InvalidParameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range it must lie in.
        expected: &'static str,
    },
}
