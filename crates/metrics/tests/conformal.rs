//! The promise of a conformal threshold, over many draws.
#![allow(clippy::unwrap_used)]

use ckaad_metrics::Calibration;
use proptest::prelude::*;

/// A generator of its own, so that a draw is a function of its seed.
fn uniform(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    let mixed = (*state ^ (*state >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

const DRAWS: u32 = 2_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Exchangeable scores, with ties where they are rounded: of a new one in each of 2,000 draws no larger a share is flagged
    /// than was promised, but for what chance explains (five standard deviations).
    #[test]
    fn holds_on_exchangeable_scores(seed in any::<u64>(), n in 1..120_usize, alpha in 0.01..0.4_f64, levels in prop::option::of(2..30_u32)) {
        let mut state = seed;
        let mut score = || {
            // Skewed, and of unequal spread, since the promise does not depend on the distribution.
            let value = uniform(&mut state).powi(3) * 10.0;
            levels.map_or(value, |levels| (value * f64::from(levels)).floor())
        };
        let mut flagged = 0;
        let mut promise: f64 = 0.0;
        for _ in 0..DRAWS {
            let scores: Vec<f64> = (0..n).map(|_| score()).collect();
            let calibration = Calibration::new(&scores).unwrap();
            let at = calibration.threshold(alpha).unwrap();
            promise = at.rate;
            flagged += u32::from(score() >= at.value);
        }
        prop_assert!(promise <= alpha || promise == 1.0 / (n + 1) as f64);
        let share = f64::from(flagged) / f64::from(DRAWS);
        let deviation = (promise * (1.0 - promise) / f64::from(DRAWS)).sqrt();
        prop_assert!(share <= promise + 5.0 * deviation, "{share} flagged, {promise} promised");
        if levels.is_none() {
            prop_assert!(share >= promise - 5.0 * deviation, "{share} flagged, {promise} promised: needlessly high");
        }
    }
}
