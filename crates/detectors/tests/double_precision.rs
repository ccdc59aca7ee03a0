//! Systems against recorded figures, computed in double precision: whole trainings, whatever rounding does to them.
#![allow(clippy::unwrap_used)]

mod support;

use support::follows;

/// One test, because the precision is the process's.
#[test]
fn trainings_follow_the_recorded_ones() {
    ckaad_parity::compute_in_double_precision().unwrap();
    for (file, at_least) in [
        ("rd4ad.json", 42),
        ("rdpp.json", 66),
        ("recontrast.json", 61),
        ("fastflow.json", 43),
        ("differnet.json", 48),
        ("draem.json", 50),
        ("destseg.json", 60),
        ("ganomaly.json", 40),
        ("ae_flow.json", 60),
        ("aa_bigan.json", 60),
        ("dmad.json", 60),
    ] {
        follows(file, at_least);
    }
}
