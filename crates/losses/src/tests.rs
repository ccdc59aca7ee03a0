//! Losses against values worked out by hand.

use burn::tensor::{Device, Tensor};

use super::*;

fn device() -> Device {
    ckaad_device::cpu()
}

fn energies<const N: usize, const P: usize>(values: [[f32; P]; N]) -> Tensor<2> {
    Tensor::from_floats(values, &device())
}

#[track_caller]
fn assert_close(loss: Tensor<1>, expected: f64) {
    let loss = f64::from(loss.into_scalar::<f32>());
    assert!(
        (loss - expected).abs() < 1e-6,
        "{loss} instead of {expected}"
    );
}

/// Two images, two channels, one position: cosines 1 and 3/5 in the first scale, 0 and -1 in the second.
#[test]
fn reconstruction_is_one_minus_the_cosine() {
    let map = |values: [[[[f32; 1]; 1]; 2]; 2]| Tensor::<4>::from_floats(values, &device());
    let features = [
        map([[[[1.0]], [[2.0]]], [[[1.0]], [[0.0]]]]),
        map([[[[1.0]], [[0.0]]], [[[2.0]], [[0.0]]]]),
    ];
    let reconstructions = [
        map([[[[3.0]], [[6.0]]], [[[3.0]], [[4.0]]]]),
        map([[[[0.0]], [[5.0]]], [[[-1.0]], [[0.0]]]]),
    ];
    // scale 1: mean(1 - 1, 1 - 0.6) = 0.2; scale 2: mean(1 - 0, 1 + 1) = 1.5
    assert_close(reconstruction(&features, &reconstructions), 1.7);
}

#[test]
fn reconstruction_of_nothing_is_finite() {
    let device = device().autodiff();
    let zero = Tensor::<4>::zeros([1, 2, 1, 1], &device).require_grad();
    let one = Tensor::<4>::ones([1, 2, 1, 1], &device);
    let loss = reconstruction(&[one], std::slice::from_ref(&zero));
    let gradient = zero
        .grad(&loss.backward())
        .map(|g| g.into_data().iter::<f32>().collect::<Vec<_>>());
    assert!(gradient.is_some_and(|g| g.iter().all(|v| v.is_finite())));
}

#[test]
fn discriminator_energy_weighs_its_three_terms() {
    let normal = [energies([[1.0, 3.0]]), energies([[0.5]])];
    let anomalous = [energies([[4.0, 7.0]]), energies([[2.0]])];
    let reconstructed = [energies([[0.0, 2.0], [4.0, 6.0]]), energies([[5.0], [1.0]])];
    // scale 1: 2 + 0.75 * mean(1, 0) + 0.25 * mean(5, 3, 1, 0) = 2 + 0.375 + 0.5625
    // scale 2: 0.5 + 0.75 * 3 + 0.25 * mean(0, 4) = 0.5 + 2.25 + 0.5
    let energy = DiscriminatorEnergy {
        margin: 5.0,
        gamma: 0.25,
    };
    let terms = [
        energy.normal(&normal),
        energy.anomalous(&anomalous),
        energy.reconstructed(&reconstructed),
    ];
    assert_close(DiscriminatorEnergy::total(&terms), 2.9375 + 3.25);
}

#[test]
fn adversarial_energy_pools_all_images() {
    let reconstructed = [energies([[0.0, 2.0], [4.0, 6.0]]), energies([[5.0], [1.0]])];
    assert_close(adversarial_energy(&reconstructed), 3.0 + 3.0);
}

#[test]
fn log_losses_are_those_of_a_sigmoid() {
    let normal = energies([[0.0], [3.0_f32.ln()]]); // D = 1/2, 3/4
    let reconstructed = energies([[0.0], [-(3.0_f32.ln())]]); // D = 1/2, 1/4
    let minus_log = |d: f64| -d.ln();
    let expected_d = (minus_log(0.5) + minus_log(0.75)) / 2.0;
    assert_close(discriminator_log(&normal, &reconstructed), 2.0 * expected_d);
    assert_close(adversarial_log(&reconstructed), -expected_d);
}
