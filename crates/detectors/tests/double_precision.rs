//! Systems against recorded figures, computed in double precision: whole trainings, whatever rounding does to them.
#![allow(clippy::unwrap_used)]

mod support;

use support::follows;

/// One test, because the precision is the process's.
#[test]
fn trainings_follow_the_recorded_ones() {
    ckaad_parity::compute_in_double_precision().unwrap();
    follows("rdpp.json", 66);
    follows("recontrast.json", 61);
    follows("draem.json", 50);
}
