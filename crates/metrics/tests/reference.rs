//! Figures that scikit-learn 1.9 and SciPy 1.17 give for inputs made by a formula.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ckaad_metrics::{auroc_delong, delong_test, partial_auroc};

/// `splitmix64(seed, i) >> 40` over 2^24: numbers in [0, 1).
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    };
    (0..count).map(|_| next()).collect()
}

/// 300 samples with ties: labels, a good score and a weaker one.
fn samples() -> (Vec<bool>, Vec<f64>, Vec<f64>) {
    let labels: Vec<bool> = numbers(300, 1).iter().map(|&u| u < 0.3).collect();
    let scores = |seed, shift: f64| -> Vec<f64> {
        let lifted = |(u, &label): (f64, &bool)| u + shift * f64::from(u8::from(label));
        let noise = numbers(300, seed);
        noise
            .into_iter()
            .zip(&labels)
            .map(lifted)
            .map(|s| (20.0 * s).floor() / 20.0)
            .collect()
    };
    let (a, b) = (scores(2, 0.5), scores(3, 0.3));
    (labels, a, b)
}

fn assert_close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "found {found}, expected {expected}"
    );
}

#[test]
fn delong_interval_and_test() {
    let (labels, a, b) = samples();
    let interval = auroc_delong(&a, &labels, 0.95).unwrap();
    assert_close(interval.auroc, 0.8927153010033446);
    assert_close(interval.standard_error, 0.018291400734354875);
    assert_close(interval.low, 0.8568648143372196);
    assert_close(interval.high, 0.9285657876694696);
    let test = delong_test(&a, &b, &labels).unwrap();
    assert_close(test.auroc_b, 0.7753448996655519);
    assert_close(test.standard_error, 0.033159558961761405);
    assert_close(test.z, 3.539564608598707);
    assert_close(test.p_value, 0.0004007876528391681);
}

#[test]
fn partial_auroc_on_mcclishs_scale() {
    let (labels, a, _) = samples();
    for (limit, expected) in [
        (0.05, 0.7699039533487695),
        (0.1, 0.7715287251364197),
        (0.3, 0.8140929030475066),
        (1.0, 0.8927153010033445),
    ] {
        assert_close(
            partial_auroc(&a, &labels, limit).unwrap().standardised,
            expected,
        );
    }
}
