//! How far figures of binned scores can be from the exact ones.

use crate::binned::Binned;
use crate::ranking::Step;
use crate::sweep::CompensatedSum;

/// Average precision of a bin taken as one score, and its extremes over all orders within the bin.
#[derive(Debug, Default)]
pub(crate) struct PrecisionBounds {
    value: CompensatedSum,
    least: CompensatedSum,
    most: CompensatedSum,
}

impl PrecisionBounds {
    pub(crate) fn add(&mut self, step: &Step) {
        let precision = |tp: u64, fp: u64| tp as f64 / (tp + fp) as f64;
        let tp = step.tp as f64;
        self.value
            .add(tp * precision(step.tp_through(), step.fp_through()));
        self.most
            .add(tp * precision(step.tp_through(), step.fp_above));
        // Worst, all negatives of the bin come first. The precisions at its positives then rise along a
        // concave curve, and so their mean is at least that of the first and the last.
        let (first, last) = (
            precision(step.tp_above + 1, step.fp_through()),
            precision(step.tp_through(), step.fp_through()),
        );
        self.least.add(tp * (first + last) / 2.0);
    }

    pub(crate) fn finish(&self, anomalous: u64) -> Binned {
        let value = self.value.value();
        let error = (self.most.value() - value)
            .max(value - self.least.value())
            .max(0.0);
        Binned {
            value: value / anomalous as f64,
            error_bound: error / anomalous as f64,
        }
    }
}

/// The best F1 at the edges of bins, and one that no threshold within a bin can exceed.
#[derive(Debug, Default)]
pub(crate) struct F1Bounds {
    pub(crate) reached: f64,
    pub(crate) bound: f64,
}

impl F1Bounds {
    pub(crate) fn add(&mut self, step: &Step, anomalous: u64) {
        let f1 = |tp: u64, fp: u64| 2.0 * tp as f64 / (tp + fp + anomalous) as f64;
        self.reached = self.reached.max(f1(step.tp_through(), step.fp_through()));
        self.bound = self.bound.max(f1(step.tp_through(), step.fp_above));
    }
}
