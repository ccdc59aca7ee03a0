//! All pixels of a set, ranked once for every exact pixel metric.

use rayon::prelude::*;

use crate::accumulate::PixelAccumulator;
use crate::error::MetricError;
use crate::image_level::{OracleF1, auroc_of, average_precision_of, check_share, oracle_f1_of};
use crate::map::AnnotatedMap;
use crate::radix::{Item, RUN};
use crate::ranking::{Positive, Ranking};
use crate::regions::Connectivity;
use crate::score::check_classes;
use crate::sweep::{BestF1, LimitedArea, PrecisionArea, RocArea};

/// An anomalous pixel: the key of its score and the size of its region. Regions need no identity, because
/// all that PRO asks of a pixel is how much of its region it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RegionPixel {
    pub(crate) key: u32,
    pub(crate) size: u32,
}

impl Item for RegionPixel {
    type Key = u32;
    #[inline(always)]
    fn key(self) -> u32 {
        self.key
    }
}

impl Positive for RegionPixel {
    #[inline(always)]
    fn weight(self) -> u64 {
        PixelRanking::pixel_weight(self.size)
    }
}

/// All pixels of a set, ranked once; every pixel metric is a walk down the ranking.
///
/// Made from maps in memory by [`PixelRanking::of`], or from maps that come one at a time by
/// [`PixelAccumulator`]. It holds 4 bytes per normal pixel and 8 per anomalous one.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, Connectivity, PixelRanking};
/// let mask = [true, false, true, false, false, true];
/// let maps = [AnnotatedMap::new(&[0.9, 0.5, 0.8, 0.3, 0.1, 0.2], &mask, 2, 3)];
/// let ranking = PixelRanking::of(&maps, Connectivity::Eight)?;
/// assert_eq!((ranking.regions(), ranking.anomalous_pixels(), ranking.normal_pixels()), (2, 3, 3));
/// let figures = ranking.figures(0.3)?;
/// assert!((figures.auroc - 7.0 / 9.0).abs() < 1e-12 && (figures.aupro - 0.75).abs() < 1e-12);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PixelRanking {
    pub(crate) ranking: Ranking<RegionPixel>,
    pub(crate) images: usize,
    pub(crate) regions: u64,
}

/// The pixel metrics of one set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelFigures {
    /// Pixel AUROC.
    pub auroc: f64,
    /// Pixel average precision.
    pub average_precision: f64,
    /// Pixel F1-max.
    pub oracle_f1: OracleF1,
    /// AUPRO up to the limit that was asked for.
    pub aupro: f64,
}

impl PixelRanking {
    /// Coverage of a whole region in fixed point, so that sums do not depend on their order.
    const REGION: u64 = u64::MAX;

    /// One pixel's share of its region, rounded down: by less than `size / 2^64` in all for the region.
    #[inline(always)]
    pub(crate) fn pixel_weight(size: u32) -> u64 {
        Self::REGION / u64::from(size)
    }

    /// Refuses sets without images, without an anomalous pixel or without a normal one.
    pub(crate) fn check_classes(
        images: usize,
        anomalous: u64,
        normal: u64,
    ) -> Result<(), MetricError> {
        if images > 0 && anomalous == 0 {
            return Err(MetricError::NoAnomalousPixel { images });
        }
        check_classes(anomalous, normal)
    }

    /// Ranks a set of maps, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// Those of [`pixel_auroc`](crate::pixel_auroc).
    pub fn of(maps: &[AnnotatedMap<'_>], connectivity: Connectivity) -> Result<Self, MetricError> {
        let pixels: usize = maps.iter().map(|map| map.scores.len()).sum();
        let parts = pixels
            .div_ceil(RUN)
            .next_multiple_of(rayon::current_num_threads());
        let share = maps.len().div_ceil(parts.max(1)).max(1);
        let parts: Vec<Result<PixelAccumulator, MetricError>> = maps
            .par_chunks(share)
            .enumerate()
            .map(|(part, maps)| {
                let room = maps.iter().map(|map| map.scores.len()).sum();
                let mut collected = PixelAccumulator::with_room_for(room, connectivity);
                for (offset, map) in maps.iter().enumerate() {
                    collected.push_as(part * share + offset, map)?;
                }
                Ok(collected)
            })
            .collect();
        let mut all = PixelAccumulator::new(connectivity);
        for part in parts {
            all.merge(part?)?;
        }
        all.finish()
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Number of anomalous regions in all masks.
    pub fn regions(&self) -> u64 {
        self.regions
    }

    /// Number of anomalous pixels.
    pub fn anomalous_pixels(&self) -> u64 {
        self.ranking.anomalous()
    }

    /// Number of normal pixels.
    pub fn normal_pixels(&self) -> u64 {
        self.ranking.normal()
    }

    /// Pixel AUROC: see [`pixel_auroc`](crate::pixel_auroc).
    pub fn auroc(&self) -> f64 {
        auroc_of(&self.ranking)
    }

    /// Pixel average precision: see [`pixel_average_precision`](crate::pixel_average_precision).
    pub fn average_precision(&self) -> f64 {
        average_precision_of(&self.ranking)
    }

    /// Pixel F1-max: see [`pixel_oracle_f1_max`](crate::pixel_oracle_f1_max).
    pub fn oracle_f1_max(&self) -> Result<OracleF1, MetricError> {
        oracle_f1_of(&self.ranking)
    }

    /// AUPRO: see [`aupro`](crate::aupro).
    ///
    /// # Errors
    /// [`MetricError::InvalidParameter`] unless `0 < limit <= 1`.
    pub fn aupro(&self, limit: f64) -> Result<f64, MetricError> {
        check_share("AUPRO limit", limit)?;
        let mut area = LimitedArea::new(limit, self.ranking.normal());
        let mut covered = Coverage::new(self.regions);
        self.ranking
            .walk(|step| area.add(step, covered.add(step.weight)));
        Ok(area.finish().0)
    }

    /// All of them in one walk.
    ///
    /// # Errors
    /// [`MetricError::InvalidParameter`] unless `0 < aupro_limit <= 1`.
    pub fn figures(&self, aupro_limit: f64) -> Result<PixelFigures, MetricError> {
        check_share("AUPRO limit", aupro_limit)?;
        let (anomalous, normal) = (self.ranking.anomalous(), self.ranking.normal());
        let (mut roc, mut precision, mut best) = (
            RocArea::default(),
            PrecisionArea::default(),
            BestF1::default(),
        );
        let mut area = LimitedArea::new(aupro_limit, normal);
        let mut covered = Coverage::new(self.regions);
        self.ranking.walk(|step| {
            roc.add(step, normal);
            precision.add(step);
            best.add(step, anomalous, normal);
            area.add(step, covered.add(step.weight));
        });
        Ok(PixelFigures {
            auroc: roc.value(anomalous, normal),
            average_precision: precision.value(anomalous),
            oracle_f1: OracleF1::new(&best)?,
            aupro: area.finish().0,
        })
    }
}

/// The mean over regions of the share covered so far.
pub(crate) struct Coverage {
    weight: u128,
    whole: f64,
}

impl Coverage {
    pub(crate) fn new(regions: u64) -> Self {
        Self {
            weight: 0,
            whole: regions as f64 * PixelRanking::REGION as f64,
        }
    }

    pub(crate) fn add(&mut self, weight: u128) -> f64 {
        self.weight += weight;
        self.weight as f64 / self.whole
    }
}
