//! Update rules on slices, for networks so small that their gradients are spelled out.

/// Adam in double precision (betas 0.9 and 0.999, epsilon 1e-8), with a weight decay that is added to the gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adam {
    weight_decay: f64,
    /// Steps done.
    pub(crate) time: i32,
    /// First and second moment of every parameter.
    pub(crate) moments: Vec<[Vec<f64>; 2]>,
}

impl Adam {
    /// For parameters of those lengths.
    pub(crate) fn new(weight_decay: f64, lengths: impl IntoIterator<Item = usize>) -> Self {
        let moments = lengths
            .into_iter()
            .map(|length| [(); 2].map(|()| vec![0.0; length]));
        Self {
            weight_decay,
            time: 0,
            moments: moments.collect(),
        }
    }

    /// Moves all parameters against their gradients.
    pub(crate) fn step<'a>(
        &mut self,
        rate: f64,
        parameters: impl IntoIterator<Item = (&'a mut [f64], &'a [f64])>,
    ) {
        const BETAS: [f64; 2] = [0.9, 0.999];
        self.time += 1;
        let corrections = BETAS.map(|beta| 1.0 - beta.powi(self.time));
        for ((values, gradient), [first, second]) in parameters.into_iter().zip(&mut self.moments) {
            let moments = first.iter_mut().zip(second);
            for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments)
            {
                let gradient = *gradient + self.weight_decay * *value;
                let mean = BETAS[0] * *first + (1.0 - BETAS[0]) * gradient;
                let square = BETAS[1] * *second + (1.0 - BETAS[1]) * gradient * gradient;
                (*first, *second) = (mean, square);
                let scale = (square / corrections[1]).sqrt() + 1e-8;
                *value -= rate * mean / corrections[0] / scale;
            }
        }
    }
}

/// RMSprop in double precision as Keras 2 has it: rho 0.9, epsilon 1e-7 outside the root.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RmsProp {
    /// The running mean of the square of every gradient.
    squares: Vec<Vec<f64>>,
}

impl RmsProp {
    /// For parameters of those lengths.
    pub(crate) fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let squares = lengths.into_iter().map(|length| vec![0.0; length]);
        Self {
            squares: squares.collect(),
        }
    }

    /// Moves all parameters against their gradients.
    pub(crate) fn step<'a>(
        &mut self,
        rate: f64,
        parameters: impl IntoIterator<Item = (&'a mut [f64], &'a [f64])>,
    ) {
        const RHO: f64 = 0.9;
        for ((values, gradient), squares) in parameters.into_iter().zip(&mut self.squares) {
            for ((value, gradient), square) in values.iter_mut().zip(gradient).zip(squares) {
                *square = RHO * *square + (1.0 - RHO) * gradient * gradient;
                *value -= rate * gradient / (square.sqrt() + 1e-7);
            }
        }
    }
}

/// What gradients are multiplied with so that their norm is at most `most`, from the sum of all their squares: as PyTorch clips.
pub(crate) fn clip(squares: f64, most: f64) -> f64 {
    (most / (squares.sqrt() + 1e-6)).min(1.0)
}

/// The same, as Keras clips.
pub(crate) fn clip_exactly(squares: f64, most: f64) -> f64 {
    most / squares.sqrt().max(most)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use ckaad_parity::formula::uniform;
    use serde::Deserialize;

    use super::*;

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

    /// The first step has the length of the rate whatever the gradient; decay is part of the gradient.
    #[test]
    fn the_first_step_is_as_long_as_the_rate() {
        let mut values = [1.0, -2.0, 0.5];
        let mut adam = Adam::new(0.0, [3]);
        adam.step(0.1, [(&mut values[..], &[5.0, -1e-3, 0.0][..])]);
        for (value, expected) in values.iter().zip([0.9, -1.9, 0.5]) {
            assert!((value - expected).abs() < 1e-5, "{values:?}");
        }
        let mut decayed = [1.0, -2.0, 0.0];
        Adam::new(0.5, [3]).step(0.1, [(&mut decayed[..], &[0.0, 0.0, 0.0][..])]);
        for (value, expected) in decayed.iter().zip([0.9, -1.9, 0.0]) {
            assert!((value - expected).abs() < 1e-5, "{decayed:?}");
        }
    }
}
