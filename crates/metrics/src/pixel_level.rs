//! Figures of anomaly maps against masks, pixel by pixel and region by region.

use rayon::prelude::*;

use crate::accumulate::PixelAccumulator;
use crate::error::MetricError;
use crate::image_level::{OracleF1, auroc_of, average_precision_of, check_limit, oracle_f1_of};
use crate::map::AnnotatedMap;
use crate::radix::Item;
use crate::ranking::{Positive, Ranking};
use crate::regions::Connectivity;
use crate::sweep::{BestF1, LimitedArea, PrecisionArea, RocArea};

/// An anomalous pixel: the key of its score and the region it lies in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RegionPixel {
    pub(crate) key: u32,
    pub(crate) region: u32,
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
    fn weight(self, table: &[u128]) -> u128 {
        table[self.region as usize]
    }
}

/// All pixels of a set, ranked once; every pixel metric is a walk down the ranking.
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
    /// Coverage of a whole region in fixed point: sums are exact, whatever their order.
    pub(crate) const REGION: u128 = 1 << 80;

    /// Ranks a set of maps, on all threads of the current rayon pool.
    pub fn of(maps: &[AnnotatedMap<'_>], connectivity: Connectivity) -> Result<Self, MetricError> {
        let share = maps.len().div_ceil(4 * rayon::current_num_threads()).max(1);
        let parts: Vec<Result<PixelAccumulator, MetricError>> = maps
            .par_chunks(share)
            .enumerate()
            .map(|(part, maps)| {
                let mut collected = PixelAccumulator::new(connectivity);
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

    /// Pixel AUROC: see [`pixel_auroc`].
    pub fn auroc(&self) -> f64 {
        auroc_of(&self.ranking)
    }

    /// Pixel average precision: see [`pixel_average_precision`].
    pub fn average_precision(&self) -> f64 {
        average_precision_of(&self.ranking)
    }

    /// Pixel F1-max: see [`pixel_oracle_f1_max`].
    pub fn oracle_f1_max(&self) -> Result<OracleF1, MetricError> {
        oracle_f1_of(&self.ranking)
    }

    /// AUPRO: see [`aupro`].
    pub fn aupro(&self, limit: f64) -> Result<f64, MetricError> {
        check_limit("AUPRO limit", limit)?;
        let mut area = LimitedArea::new(limit, self.ranking.normal());
        let mut covered = Coverage::new(self.regions);
        self.ranking
            .walk(|step| area.add(step, covered.add(step.weight)));
        Ok(area.finish().0)
    }

    /// All of them in one walk.
    pub fn figures(&self, aupro_limit: f64) -> Result<PixelFigures, MetricError> {
        check_limit("AUPRO limit", aupro_limit)?;
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
            whole: (u128::from(regions) * PixelRanking::REGION) as f64,
        }
    }

    pub(crate) fn add(&mut self, weight: u128) -> f64 {
        self.weight += weight;
        self.weight as f64 / self.whole
    }
}

/// Area under the ROC curve of all pixels of all images.
pub fn pixel_auroc(maps: &[AnnotatedMap<'_>]) -> Result<f64, MetricError> {
    Ok(PixelRanking::of(maps, Connectivity::Eight)?.auroc())
}

/// Average precision of all pixels of all images.
pub fn pixel_average_precision(maps: &[AnnotatedMap<'_>]) -> Result<f64, MetricError> {
    Ok(PixelRanking::of(maps, Connectivity::Eight)?.average_precision())
}

/// F1-max of all pixels of all images.
#[doc(alias = "pixel_f1_max")]
pub fn pixel_oracle_f1_max(maps: &[AnnotatedMap<'_>]) -> Result<OracleF1, MetricError> {
    PixelRanking::of(maps, Connectivity::Eight)?.oracle_f1_max()
}

/// Area under the per-region overlap, dataset-wide.
pub fn aupro(
    maps: &[AnnotatedMap<'_>],
    limit: f64,
    connectivity: Connectivity,
) -> Result<f64, MetricError> {
    check_limit("AUPRO limit", limit)?;
    PixelRanking::of(maps, connectivity)?.aupro(limit)
}
