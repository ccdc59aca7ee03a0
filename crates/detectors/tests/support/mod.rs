//! Figures of a system beside recorded ones.

use std::path::Path;

use ckaad_parity::Check;

/// All figures of a file of golden ones, at least so many.
pub(crate) fn follows(file: &str, at_least: usize) {
    follows_where(file, at_least, |_| true);
}

/// Those of them that are `wanted`.
pub(crate) fn follows_where(file: &str, at_least: usize, wanted: impl Fn(&Check) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/systems");
    let mut checks = ckaad_parity::run_system(&folder.join(file)).unwrap();
    checks.retain(wanted);
    assert!(checks.len() >= at_least, "only {} figures", checks.len());
    let off: Vec<String> = checks
        .iter()
        .filter(|check| !check.passed())
        .map(|check| {
            format!(
                "{}: {:.2e} is over {:.0e}",
                check.name, check.error, check.tolerance
            )
        })
        .collect();
    assert!(off.is_empty(), "{off:#?}");
}
