//! What tests of layouts share.

use std::path::Path;

use ckaad_data::*;
use tempfile::TempDir;

const SIZE: StandIn = StandIn {
    side: 32,
    train: 5,
    test: 2,
};

/// A synthetic stand-in, categories `candle` and `tile` where the layout has any.
pub(crate) fn stand_in(layout: Layout) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    synth_layout(layout, &["candle", "tile"], dir.path(), 11, SIZE).unwrap();
    assert!(dir.path().join("SYNTHETIC.txt").is_file());
    dir
}

/// (normal, anomalous) samples.
pub(crate) fn counts(samples: &[Sample]) -> (usize, usize) {
    let normal = samples
        .iter()
        .filter(|sample| sample.label == Label::Normal)
        .count();
    (normal, samples.len() - normal)
}

/// A stand-in's data set.
pub(crate) fn open(layout: Layout, dir: &Path) -> Dataset {
    let category = match layout {
        Layout::MvtecAd => Some("tile"),
        Layout::Visa => Some("candle"),
        Layout::Cifar10 => Some("deer"),
        _ => None,
    };
    Dataset::open(layout, dir, category).unwrap()
}
