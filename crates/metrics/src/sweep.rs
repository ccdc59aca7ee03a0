//! What a walk down the ranking adds up: one small struct per figure.

use crate::confusion::Confusion;
use crate::ranking::Step;

/// Area under the ROC curve, counted in whole half pairs.
#[derive(Debug, Clone, Default)]
pub(crate) struct RocArea {
    half_pairs: u128,
}

impl RocArea {
    /// Pairs won by the positives of a step: all negatives below it, and half of those tied with it.
    pub(crate) fn add(&mut self, step: &Step, normal: u64) {
        let below = normal - step.fp_through();
        self.half_pairs += u128::from(step.tp) * u128::from(2 * below + step.fp);
    }

    pub(crate) fn value(&self, anomalous: u64, normal: u64) -> f64 {
        self.half_pairs as f64 / (2.0 * anomalous as f64 * normal as f64)
    }
}

/// Average precision: precision at every step, weighted by the recall it adds.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrecisionArea {
    sum: CompensatedSum,
}

impl PrecisionArea {
    pub(crate) fn add(&mut self, step: &Step) {
        let (tp, fp) = (step.tp_through() as f64, step.fp_through() as f64);
        self.sum.add(step.tp as f64 * (tp / (tp + fp)));
    }

    pub(crate) fn value(&self, anomalous: u64) -> f64 {
        self.sum.value() / anomalous as f64
    }
}

/// The step with the highest F1; of equals the one with the lowest score.
#[derive(Debug, Clone, Default)]
pub(crate) struct BestF1 {
    best: Option<(f64, Confusion)>,
}

impl BestF1 {
    pub(crate) fn add(&mut self, step: &Step, anomalous: u64, normal: u64) {
        let here = Confusion::of_step(step, anomalous, normal);
        // 2 tp / (tp + fp + anomalous), compared as fractions so that equal is equal.
        let fraction = |c: &Confusion| (u128::from(c.tp), u128::from(c.tp + c.fp + anomalous));
        let better = self.best.is_none_or(|(_, best)| {
            let ((a, b), (c, d)) = (fraction(&here), fraction(&best));
            a * d >= c * b
        });
        if better {
            self.best = Some((step.score, here));
        }
    }

    pub(crate) fn best(&self) -> Option<(f64, Confusion)> {
        self.best
    }
}

/// The step with the highest `sensitivity + specificity - 1`; of equals the one with the lowest score.
#[derive(Debug, Clone, Default)]
pub(crate) struct BestYouden {
    best: Option<(i128, f64)>,
}

impl BestYouden {
    pub(crate) fn add(&mut self, step: &Step, anomalous: u64, normal: u64) {
        let gain = i128::from(step.tp_through()) * i128::from(normal)
            - i128::from(step.fp_through()) * i128::from(anomalous);
        if self.best.is_none_or(|(best, _)| gain >= best) {
            self.best = Some((gain, step.score));
        }
    }

    pub(crate) fn score(&self) -> Option<f64> {
        self.best.map(|(_, score)| score)
    }
}

/// Area under a curve over the false-positive rate from 0 to a limit, linear between its points, with the
/// least and the greatest area of any rising curve through the same points.
#[derive(Debug, Clone)]
pub(crate) struct LimitedArea {
    limit: f64,
    normal: f64,
    x: f64,
    y: f64,
    area: CompensatedSum,
    slack: CompensatedSum,
}

impl LimitedArea {
    pub(crate) fn new(limit: f64, normal: u64) -> Self {
        Self {
            limit,
            normal: normal as f64,
            x: 0.0,
            y: 0.0,
            area: CompensatedSum::default(),
            slack: CompensatedSum::default(),
        }
    }

    /// Moves level to where the step begins, then straight to its end at height `y`.
    pub(crate) fn add(&mut self, step: &Step, y: f64) {
        self.line_to(step.fp_above as f64 / self.normal, self.y);
        self.line_to(step.fp_through() as f64 / self.normal, y);
    }

    fn line_to(&mut self, x: f64, y: f64) {
        if self.x < self.limit {
            let width = x.min(self.limit) - self.x;
            let end = if x > self.limit {
                self.y + (y - self.y) * width / (x - self.x)
            } else {
                y
            };
            self.area.add(width * (self.y + end) / 2.0);
            // The curve lies in the box from (x, y) to the new point: it may leave the line by half of the
            // box's area, or by more where the limit cuts the box.
            let line = (end - self.y) / 2.0;
            self.slack.add(width * line.max(y - self.y - line));
        }
        (self.x, self.y) = (x, y);
    }

    /// The area divided by the limit, and by how much a curve through the same points may differ from it.
    pub(crate) fn finish(mut self) -> (f64, f64) {
        self.line_to(1.0, self.y);
        (
            self.area.value() / self.limit,
            self.slack.value() / self.limit,
        )
    }
}

/// Neumaier's sum: the rounding error stays at that of one addition, however many there are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.lost += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
    }

    pub(crate) fn value(&self) -> f64 {
        self.sum + self.lost
    }
}
