//! Every reader on the seeds of its fuzz target, and on damage to them: it must return.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use ckaad_engine::fuzzing;

#[path = "../../../fuzz/smoke.rs"]
mod smoke;

#[test]
fn seeds_and_damaged_seeds_return() {
    let device = ckaad_device::cpu();
    for (name, parse) in fuzzing::ALL {
        smoke::smoke(name, Vec::new(), 1000, |bytes| parse(bytes, &device));
    }
}
