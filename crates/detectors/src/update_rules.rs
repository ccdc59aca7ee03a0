//! The update rules against recorded figures: three steps of a system cannot show a weight decay of 1e-5.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use ckaad_parity::formula::uniform;
use serde::Deserialize;

use crate::descent::{Adam, RmsProp, clip, clip_exactly};

#[derive(Deserialize)]
struct Recorded {
    case: Case,
    scalars: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Case {
    seed: u64,
    numbers: usize,
    steps: usize,
}

impl Recorded {
    fn open() -> Self {
        let text = include_str!("../../../tests/golden/systems/optimisers.json");
        serde_json::from_str(text).unwrap()
    }

    /// The largest difference of any position of a rule from the recorded ones, relative to their size of about 1: `update` moves numbers
    /// against their gradient in a square bowl.
    fn largest_error(&self, rule: &str, mut update: impl FnMut(&mut [f64], &[f64])) -> f64 {
        let Case {
            seed,
            numbers,
            steps,
        } = self.case;
        let formula = |name| -> Vec<f64> {
            let values = uniform(name, numbers, seed).into_iter();
            values.map(f64::from).collect()
        };
        let [mut position, target, curvature] = ["p", "target", "curvature"].map(formula);
        let positions: Vec<Vec<f64>> =
            serde_json::from_value(self.scalars[&format!("{rule}.positions")].clone()).unwrap();
        assert_eq!(positions.len(), steps);
        let mut largest: f64 = 0.0;
        for expected in positions {
            let off = position.iter().zip(&target).map(|(x, target)| x - target);
            let slopes = off.zip(&curvature).map(|(off, u)| (1.0 + 0.5 * u) * off);
            let gradient: Vec<f64> = slopes.collect();
            update(&mut position, &gradient);
            let errors = position.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            largest = errors.fold(largest, f64::max);
        }
        largest
    }
}

fn scaled(gradient: &[f64], factor: impl Fn(f64) -> f64) -> Vec<f64> {
    let factor = factor(gradient.iter().map(|x| x * x).sum());
    gradient.iter().map(|x| factor * x).collect()
}

#[test]
fn rules_are_the_recorded_ones() {
    let recorded = Recorded::open();
    let rate = 0.1;
    for (name, weight_decay) in [("adam", 0.0), ("adam_weight_decay", 0.1)] {
        let mut adam = Adam::new(weight_decay, [recorded.case.numbers]);
        let error = recorded.largest_error(name, |values, gradient| {
            adam.step(rate, [(values, gradient)]);
        });
        assert!(error < 1e-12, "{name}: {error}");
    }
    let mut adam = Adam::new(0.0, [recorded.case.numbers]);
    let error = recorded.largest_error("adam_clip", |values, gradient| {
        let gradient = scaled(gradient, |squares| clip(squares, 0.1));
        adam.step(rate, [(values, &gradient[..])]);
    });
    assert!(error < 1e-12, "clipped: {error}");
    let mut rule = RmsProp::new([recorded.case.numbers]);
    let error = recorded.largest_error("keras2_rmsprop", |values, gradient| {
        let halved: Vec<f64> = gradient.iter().map(|x| 0.5 * x).collect();
        let gradient = scaled(&halved, |squares| clip_exactly(squares, 1.0));
        rule.step(rate, [(values, &gradient[..])]);
    });
    assert!(error < 1e-12, "RMSprop: {error}");
}
