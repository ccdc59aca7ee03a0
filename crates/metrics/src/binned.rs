//! Pixel metrics in bounded memory, with the error that binning can have caused.

use crate::bounds::{F1Bounds, PrecisionBounds};
use crate::error::MetricError;
use crate::image_level::check_share;
use crate::map::AnnotatedMap;
use crate::pixel_ranking::{Coverage, PixelRanking};
use crate::ranking::Step;
use crate::regions::{Connectivity, Regions};
use crate::sweep::{LimitedArea, RocArea};

/// A figure from binned scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binned {
    /// The figure, as if all scores of a bin were equal.
    pub value: f64,
    /// The exact figure differs from `value` by at most this, whatever the scores within the bins (apart
    /// from the rounding of doubles, about 1e-15). It is computed from the counts, not estimated.
    pub error_bound: f64,
}

/// The pixel metrics of one set, from binned scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinnedFigures {
    /// Pixel AUROC.
    pub auroc: Binned,
    /// Pixel average precision.
    pub average_precision: Binned,
    /// Pixel F1-max; never above the exact one.
    pub oracle_f1_max: Binned,
    /// AUPRO up to the limit that was asked for.
    pub aupro: Binned,
    /// Number of bins.
    pub bins: usize,
}

/// Beyond this, bins are finer than scores of single precision.
const MOST_BINS: usize = 1 << 24;

/// Collects maps into bins of equal width: 32 bytes per bin, for sets of any size.
///
/// A bin acts as one shared threshold, which keeps every figure within a bound that
/// [`figures`](Self::figures) states. Scores outside the range fall into the first or the last bin: nothing
/// is lost, the bound just grows. Region sizes are known as each image arrives, so PRO needs no second pass.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, BinnedPixelAccumulator, Connectivity};
/// let mut set = BinnedPixelAccumulator::new(0.0, 1.0, 1000, Connectivity::Eight)?;
/// let mask = [true, false, false, false];
/// set.push(&AnnotatedMap::new(&[0.9, 0.2, 0.4, 0.1], &mask, 2, 2))?;
/// set.push(&AnnotatedMap::new(&[0.3, 0.2, 0.1, 0.1], &mask, 2, 2))?;
/// let auroc = set.figures(0.3)?.auroc;
/// assert!((auroc.value - 11.0 / 12.0).abs() <= auroc.error_bound + 1e-12);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BinnedPixelAccumulator {
    connectivity: Connectivity,
    low: f64,
    high: f64,
    images: usize,
    regions: u64,
    normal: Vec<u64>,
    anomalous: Vec<u64>,
    weights: Vec<u128>,
}

impl BinnedPixelAccumulator {
    /// An accumulator of `bins` bins between two scores.
    ///
    /// # Errors
    /// [`MetricError::InvalidParameter`] unless `low < high`, both finite, and `bins` from 1 to 2^24.
    pub fn new(
        low: f32,
        high: f32,
        bins: usize,
        connectivity: Connectivity,
    ) -> Result<Self, MetricError> {
        if !low.is_finite() {
            let value = f64::from(low);
            return Err(MetricError::InvalidParameter {
                name: "lowest score",
                value,
                expected: "finite",
            });
        }
        if !(high.is_finite() && high > low) {
            let value = f64::from(high);
            return Err(MetricError::InvalidParameter {
                name: "highest score",
                value,
                expected: "finite and above the lowest",
            });
        }
        Self::between(low, high, bins, connectivity)
    }

    /// As [`new`](Self::new), for a range that may be a single score.
    pub(crate) fn between(
        low: f32,
        high: f32,
        bins: usize,
        connectivity: Connectivity,
    ) -> Result<Self, MetricError> {
        if !(1..=MOST_BINS).contains(&bins) {
            let expected = "from 1 to 16777216";
            return Err(MetricError::InvalidParameter {
                name: "number of bins",
                value: bins as f64,
                expected,
            });
        }
        Ok(Self {
            connectivity,
            low: f64::from(low),
            high: f64::from(high),
            images: 0,
            regions: 0,
            normal: vec![0; bins],
            anomalous: vec![0; bins],
            weights: vec![0; bins],
        })
    }

    /// Takes in one image. After an error nothing has changed.
    ///
    /// # Errors
    /// Those of [`PixelAccumulator::push`](crate::PixelAccumulator::push).
    pub fn push(&mut self, map: &AnnotatedMap<'_>) -> Result<(), MetricError> {
        map.check(self.images)?;
        let regions = map
            .mask
            .map(|mask| Regions::of(mask, map.width, self.connectivity))
            .unwrap_or_default();
        let last = self.normal.len() - 1;
        let scale = if self.high > self.low {
            self.normal.len() as f64 / (self.high - self.low)
        } else {
            0.0
        };
        // Rising with the score, which is all that the bound needs; the conversion stops at 0 and `last`.
        let low = self.low;
        let bin = |score: f32| (((f64::from(score) - low) * scale) as usize).min(last);
        regions.pieces(map.scores, |scores, region| match region {
            None => scores
                .iter()
                .for_each(|&score| self.normal[bin(score)] += 1),
            Some(region) => {
                let weight = u128::from(PixelRanking::pixel_weight(regions.sizes[region]));
                for &score in scores {
                    let bin = bin(score);
                    self.anomalous[bin] += 1;
                    self.weights[bin] += weight;
                }
            }
        });
        self.regions += regions.sizes.len() as u64;
        self.images += 1;
        Ok(())
    }

    /// Takes over what another accumulator has seen, as if its images had been pushed here.
    ///
    /// # Errors
    /// [`MetricError::Unmergeable`] if the two differ in range, bins or connectivity.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricError> {
        let differs = |what| Err(MetricError::Unmergeable { what });
        if self.connectivity != other.connectivity {
            return differs("connectivity");
        }
        if (self.low, self.high) != (other.low, other.high) {
            return differs("range");
        }
        if self.normal.len() != other.normal.len() {
            return differs("number of bins");
        }
        self.normal
            .iter_mut()
            .zip(&other.normal)
            .for_each(|(a, b)| *a += b);
        self.anomalous
            .iter_mut()
            .zip(&other.anomalous)
            .for_each(|(a, b)| *a += b);
        self.weights
            .iter_mut()
            .zip(&other.weights)
            .for_each(|(a, b)| *a += b);
        self.regions += other.regions;
        self.images += other.images;
        Ok(())
    }

    /// Number of images seen.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The figures of what was seen so far.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::NoAnomalousPixel`], [`MetricError::SingleClass`] if every pixel is
    /// anomalous, and [`MetricError::InvalidParameter`] unless `0 < aupro_limit <= 1`.
    pub fn figures(&self, aupro_limit: f64) -> Result<BinnedFigures, MetricError> {
        check_share("AUPRO limit", aupro_limit)?;
        let (anomalous, normal) = (
            self.anomalous.iter().sum::<u64>(),
            self.normal.iter().sum::<u64>(),
        );
        PixelRanking::check_classes(self.images, anomalous, normal)?;
        let (mut roc, mut tied_pairs) = (RocArea::default(), 0_u128);
        let (mut precision, mut best) = (PrecisionBounds::default(), F1Bounds::default());
        let mut area = LimitedArea::new(aupro_limit, normal);
        let mut covered = Coverage::new(self.regions);
        let (mut tp_above, mut fp_above) = (0, 0);
        for bin in (0..self.normal.len()).rev() {
            let (tp, fp) = (self.anomalous[bin], self.normal[bin]);
            if tp > 0 {
                let step = Step {
                    score: self.low
                        + bin as f64 * (self.high - self.low) / self.normal.len() as f64,
                    tp_above,
                    tp,
                    fp_above,
                    fp,
                    weight: self.weights[bin],
                };
                roc.add(&step, normal);
                tied_pairs += u128::from(tp) * u128::from(fp);
                precision.add(&step);
                best.add(&step, anomalous);
                area.add(&step, covered.add(step.weight));
            }
            tp_above += tp;
            fp_above += fp;
        }
        let (aupro, slack) = area.finish();
        Ok(BinnedFigures {
            auroc: Binned {
                value: roc.value(anomalous, normal),
                // A pair within a bin counts one half; it may be won or lost.
                error_bound: tied_pairs as f64 / (2.0 * anomalous as f64 * normal as f64),
            },
            average_precision: precision.finish(anomalous),
            oracle_f1_max: Binned {
                value: best.reached,
                error_bound: best.bound - best.reached,
            },
            aupro: Binned {
                value: aupro,
                error_bound: slack,
            },
            bins: self.normal.len(),
        })
    }
}
