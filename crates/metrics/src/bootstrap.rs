//! Seeded bootstrap intervals for any metric.

use rayon::prelude::*;

use crate::error::MetricError;
use crate::score::{Score, check};

/// How to resample. The result depends on these three alone, not on the number of threads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples, at least 2; 1000 or more for a 95 % interval.
    pub resamples: u32,
    /// Share of resamples that the interval covers, in (0, 1).
    pub confidence: f64,
    /// Resample number r draws from a stream made of `(seed, r)`.
    pub seed: u64,
}

/// A figure with a percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The figure of the set itself.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Bootstrap {
    /// Percentile interval of an image-level metric. Normal and anomalous samples are resampled separately
    /// (stratified), so that every resample has as many of each as the set.
    ///
    /// Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; quantiles are
    /// interpolated linearly.
    ///
    /// # Errors
    /// [`MetricError::InvalidParameter`] for the settings; those of the metric, for the set or a resample.
    ///
    /// ```
    /// use ckaad_metrics::{Bootstrap, average_precision};
    /// let scores: Vec<f64> = (0..40).map(|i| f64::from(i * 7 % 40)).collect();
    /// let labels: Vec<bool> = scores.iter().map(|&s| s > 25.0 || s == 4.0).collect();
    /// let options = Bootstrap { resamples: 500, confidence: 0.95, seed: 7 };
    /// let found = options.interval(&scores, &labels, average_precision)?;
    /// assert!((found.estimate - 0.961111).abs() < 1e-6);
    /// assert!(found.low < found.estimate && found.estimate <= found.high);
    /// assert_eq!(found, options.interval(&scores, &labels, average_precision)?);
    /// # Ok::<(), ckaad_metrics::MetricError>(())
    /// ```
    pub fn interval<S: Score>(
        &self,
        scores: &[S],
        labels: &[bool],
        metric: impl Fn(&[S], &[bool]) -> Result<f64, MetricError> + Sync,
    ) -> Result<Interval, MetricError> {
        check(scores, labels)?;
        let of_class = |wanted: bool| -> Vec<S> {
            scores
                .iter()
                .zip(labels)
                .filter(|&(_, &label)| label == wanted)
                .map(|(&score, _)| score)
                .collect()
        };
        let (normal, anomalous) = (of_class(false), of_class(true));
        let drawn_labels: Vec<bool> = (0..scores.len())
            .map(|index| index >= normal.len())
            .collect();
        let resampled = |resample| {
            let mut stream = Stream::new(self.seed, resample);
            let mut drawn = Vec::with_capacity(scores.len());
            drawn.extend((0..normal.len()).map(|_| normal[stream.below(normal.len())]));
            drawn.extend((0..anomalous.len()).map(|_| anomalous[stream.below(anomalous.len())]));
            metric(&drawn, &drawn_labels)
        };
        self.percentiles(metric(scores, labels)?, resampled)
    }

    /// Percentile interval of any figure of a set of `units` (for pixel metrics: images). The statistic is
    /// given the indices drawn, with repetition, and for the estimate all indices once.
    ///
    /// # Errors
    /// [`MetricError::Empty`] without units; [`MetricError::InvalidParameter`] for the settings; those of
    /// the statistic, for the set or a resample (which may lack a class).
    ///
    /// ```
    /// use ckaad_metrics::Bootstrap;
    /// let options = Bootstrap { resamples: 400, confidence: 0.9, seed: 1 };
    /// let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// let mean = |drawn: &[usize]| Ok(drawn.iter().map(|&i| values[i]).sum::<f64>() / drawn.len() as f64);
    /// let found = options.interval_over(values.len(), mean)?;
    /// assert_eq!(found.estimate, 3.5);
    /// assert!(found.low > 2.0 && found.high < 5.0);
    /// # Ok::<(), ckaad_metrics::MetricError>(())
    /// ```
    pub fn interval_over(
        &self,
        units: usize,
        statistic: impl Fn(&[usize]) -> Result<f64, MetricError> + Sync,
    ) -> Result<Interval, MetricError> {
        if units == 0 {
            return Err(MetricError::Empty);
        }
        let all: Vec<usize> = (0..units).collect();
        self.percentiles(statistic(&all)?, |resample| {
            let mut stream = Stream::new(self.seed, resample);
            let drawn: Vec<usize> = (0..units).map(|_| stream.below(units)).collect();
            statistic(&drawn)
        })
    }

    fn percentiles(
        &self,
        estimate: f64,
        figure: impl Fn(u32) -> Result<f64, MetricError> + Sync,
    ) -> Result<Interval, MetricError> {
        if self.resamples < 2 {
            let value = f64::from(self.resamples);
            return Err(MetricError::InvalidParameter {
                name: "number of resamples",
                value,
                expected: "at least 2",
            });
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            let expected = "between 0 and 1, both excluded";
            return Err(MetricError::InvalidParameter {
                name: "confidence",
                value: self.confidence,
                expected,
            });
        }
        // Collected in order, so that the error reported is that of the first resample that fails.
        let figures: Vec<Result<f64, MetricError>> =
            (0..self.resamples).into_par_iter().map(&figure).collect();
        let mut figures: Vec<f64> = figures.into_iter().collect::<Result<_, _>>()?;
        figures.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            let at = share * (figures.len() - 1) as f64;
            let below = figures[at.floor() as usize];
            below + (figures[at.ceil() as usize] - below) * at.fract()
        };
        let tail = (1.0 - self.confidence) / 2.0;
        Ok(Interval {
            estimate,
            low: quantile(tail),
            high: quantile(1.0 - tail),
        })
    }
}

/// SplitMix64: a full-period stream per resample (Steele, Lea, Flood, OOPSLA 2014).
struct Stream(u64);

impl Stream {
    fn new(seed: u64, resample: u32) -> Self {
        let mut start = Self(seed);
        // The seed is mixed before the resample enters, so that neighbours in either share no stream.
        Self(start.next() ^ Self(u64::from(resample)).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`, uniform up to one part in 2^64 / limit.
    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }
}
