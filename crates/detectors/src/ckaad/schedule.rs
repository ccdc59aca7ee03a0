use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The share of all steps in which a cosine's rates rise.
const WARM_UP: f64 = 0.05;

/// How the learning rates change over a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Not at all, as in the paper.
    #[default]
    Constant,
    /// They rise in a line over the first twentieth of the steps, then fall along half a cosine, to nothing at the end: for short trainings.
    Cosine,
}

impl Schedule {
    /// The share of the learning rates that step `time` of `steps`, counted from 0, takes; in `(0, 1]`.
    pub(super) fn share(self, time: u64, steps: u64) -> f64 {
        if self == Self::Constant {
            return 1.0;
        }
        let steps = steps.max(time + 1) as f64;
        let warm_up = (steps * WARM_UP).ceil();
        let time = time as f64;
        if time < warm_up {
            return (time + 1.0) / warm_up;
        }
        0.5 * (1.0 + (PI * (time - warm_up) / (steps - warm_up)).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_rises_falls_and_is_never_zero() {
        for steps in [1, 2, 19, 20, 1000] {
            let shares: Vec<f64> = (0..steps)
                .map(|time| Schedule::Cosine.share(time, steps))
                .collect();
            assert!(shares.iter().all(|share| *share > 0.0 && *share <= 1.0));
            assert!(shares.contains(&1.0));
            let top = shares.iter().position(|share| *share == 1.0);
            let (rising, falling) = shares.split_at(top.unwrap_or_default());
            assert!(rising.is_sorted() && falling.is_sorted_by(|a, b| a >= b));
        }
        assert!((Schedule::Cosine.share(525, 1000) - 0.5).abs() < 1e-12);
        assert_eq!(Schedule::Constant.share(7, 10), 1.0);
    }
}
