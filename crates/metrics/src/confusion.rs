//! Figures at a given threshold.

use crate::error::{Class, MetricError};
use crate::ranking::Step;
use crate::score::{Score, check};

/// Counts of right and wrong decisions at one threshold; predicted anomalous means `score >= threshold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Confusion {
    /// Anomalous and predicted so.
    pub tp: u64,
    /// Normal but predicted anomalous.
    pub fp: u64,
    /// Normal and predicted so.
    pub tn: u64,
    /// Anomalous but predicted normal.
    pub fn_: u64,
}

impl Confusion {
    /// Decisions at a threshold that was chosen elsewhere, for example by [`ThresholdRule::fit`](crate::ThresholdRule::fit)
    /// on a validation set.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::LengthMismatch`], [`MetricError::NonFiniteScore`], and
    /// [`MetricError::InvalidParameter`] if the threshold is NaN.
    ///
    /// ```
    /// use ckaad_metrics::Confusion;
    /// let at = Confusion::at_threshold(&[0.1_f32, 0.4, 0.6, 0.9], &[false, true, false, true], 0.5)?;
    /// assert_eq!((at.tp, at.fp, at.tn, at.fn_), (1, 1, 1, 1));
    /// assert_eq!(at.accuracy(), 0.5);
    /// # Ok::<(), ckaad_metrics::MetricError>(())
    /// ```
    pub fn at_threshold<S: Score>(
        scores: &[S],
        labels: &[bool],
        threshold: f64,
    ) -> Result<Self, MetricError> {
        check(scores, labels)?;
        if threshold.is_nan() {
            return Err(MetricError::InvalidParameter {
                name: "threshold",
                value: threshold,
                expected: "a number",
            });
        }
        let mut counts = [[0_u64; 2]; 2];
        for (score, &label) in scores.iter().zip(labels) {
            counts[usize::from(label)][usize::from(score.value() >= threshold)] += 1;
        }
        let [[tn, fp], [fn_, tp]] = counts;
        Ok(Self { tp, fp, tn, fn_ })
    }

    pub(crate) fn of_step(step: &Step, anomalous: u64, normal: u64) -> Self {
        let (tp, fp) = (step.tp_through(), step.fp_through());
        Self {
            tp,
            fp,
            tn: normal - fp,
            fn_: anomalous - tp,
        }
    }

    /// Number of decisions; at least 1.
    pub fn count(&self) -> u64 {
        self.tp + self.fp + self.tn + self.fn_
    }

    /// `(tp + tn) / count`, in \[0, 1\].
    pub fn accuracy(&self) -> f64 {
        (self.tp + self.tn) as f64 / self.count() as f64
    }

    /// `tp / (tp + fn)`, in \[0, 1\]: the share of anomalous samples found (recall, true-positive rate).
    ///
    /// # Errors
    /// [`MetricError::ClassMissing`] without anomalous samples.
    pub fn sensitivity(&self) -> Result<f64, MetricError> {
        self.share(self.tp, self.tp + self.fn_, Class::Anomalous)
    }

    /// `tn / (tn + fp)`, in \[0, 1\]: the share of normal samples left alone (1 - false-positive rate).
    ///
    /// # Errors
    /// [`MetricError::ClassMissing`] without normal samples.
    pub fn specificity(&self) -> Result<f64, MetricError> {
        self.share(self.tn, self.tn + self.fp, Class::Normal)
    }

    /// `2 tp / (2 tp + fp + fn)`, in \[0, 1\]: the harmonic mean of precision and recall; 0 if nothing is found.
    ///
    /// # Errors
    /// [`MetricError::ClassMissing`] without anomalous samples.
    pub fn f1(&self) -> Result<f64, MetricError> {
        self.share(self.tp, self.tp + self.fn_, Class::Anomalous)?;
        Ok(2.0 * self.tp as f64 / (2 * self.tp + self.fp + self.fn_) as f64)
    }

    fn share(&self, part: u64, whole: u64, missing: Class) -> Result<f64, MetricError> {
        if whole == 0 {
            return Err(MetricError::ClassMissing {
                missing,
                count: self.count(),
            });
        }
        Ok(part as f64 / whole as f64)
    }
}
