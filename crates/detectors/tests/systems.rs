//! The systems against figures recorded in double precision.
#![allow(clippy::unwrap_used)]

use std::path::Path;

fn follows(file: &str, at_least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/systems");
    let checks = ckaad_parity::run_system(&folder.join(file)).unwrap();
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

#[test]
fn patchcore() {
    follows("patchcore.json", 30);
}

#[test]
fn deep_sad() {
    follows("deep_sad.json", 31);
}

#[test]
fn devnet() {
    follows("devnet.json", 31);
}

#[test]
fn dra() {
    follows("dra.json", 65);
}

#[test]
fn prenet() {
    follows("prenet.json", 29);
}

#[test]
fn padim() {
    follows("padim.json", 11);
}

#[test]
fn rd4ad() {
    follows("rd4ad.json", 42);
}

#[test]
fn fastflow() {
    follows("fastflow.json", 43);
}

#[test]
fn differnet() {
    follows("differnet.json", 48);
}
