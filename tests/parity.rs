//! Networks and training steps against figures recorded from an independent implementation.

use std::path::Path;

use burn::tensor::Device;
use ckaad_backbone::Precision;
use ckaad_parity::{Check, Extent, Golden, run};

/// Runs a recorded case.
pub(crate) fn checks(
    name: &str,
    extent: Extent,
    precision: Precision,
    device: &Device,
) -> Vec<Check> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name);
    let golden = Golden::read(&path).unwrap();
    run(&golden, extent, precision, device).unwrap()
}

pub(crate) fn assert_all_pass(checks: &[Check]) {
    assert!(checks.len() > 10, "only {} figures compared", checks.len());
    for check in checks {
        assert!(
            check.passed(),
            "{}: {:.2e} is over {:.0e}",
            check.name,
            check.error,
            check.tolerance
        );
    }
}

/// Recorded in double precision at 128 pixels and small learning rates, where single precision follows for four steps.
#[test]
fn four_training_steps_follow_double_precision() {
    assert_all_pass(&checks(
        "networks_resnet18_l23_128_f64.json",
        Extent::Training,
        Precision::F32,
        &ckaad_device::cpu(),
    ));
}

/// Recorded in single precision at 64 pixels. Adam's first steps move every weight by the learning rate whatever its gradient,
/// and instance norm on 2 x 2 latent maps magnifies rounding, so later steps of two correct programs part ways there; the
/// forward pass and the first step must not.
#[test]
fn the_first_step_follows_single_precision() {
    for name in [
        "networks_resnet18_l23_64.json",
        "networks_resnet18_l23_64_batchnorm.json",
    ] {
        let checks = checks(name, Extent::Training, Precision::F32, &ckaad_device::cpu());
        let first: Vec<Check> = checks
            .into_iter()
            .filter(|check| {
                !check.name.starts_with("trained.")
                    && !(1..9).any(|step| check.name.starts_with(&format!("step {step} ")))
            })
            .collect();
        assert_all_pass(&first);
    }
}
