//! Every parser on the seeds of its fuzz target, and on damage to them: it must return.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use ckaad_data::fuzzing;

#[path = "../../../fuzz/smoke.rs"]
mod smoke;

#[test]
fn seeds_and_damaged_seeds_return() {
    for (name, parse) in fuzzing::ALL {
        let jpeg = || {
            let mut files = smoke::files(&smoke::folder().join("../tests/golden/jpeg"));
            files.retain(|(name, _)| name.ends_with(".jpg"));
            files
        };
        let more = if name == "jpeg" { jpeg() } else { Vec::new() };
        smoke::smoke(name, more, 3000, parse);
    }
}
