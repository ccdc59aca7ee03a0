//! Exact pixel metrics from one image at a time.

use rayon::prelude::*;

use crate::error::MetricError;
use crate::map::AnnotatedMap;
use crate::pixel_ranking::{PixelRanking, RegionPixel};
use crate::radix::RUN;
use crate::ranking::Ranking;
use crate::regions::{Connectivity, Regions};
use crate::score::sealed::Rank;

/// Collects maps for exact metrics, holding 4 bytes per normal and 8 bytes per anomalous pixel.
///
/// Maps may be dropped once pushed. Accumulators filled by several threads, or over shards of a set, merge into what one
/// accumulator would hold, and the figures agree to the last bit in whatever order they were merged.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, Connectivity, PixelAccumulator, PixelRanking};
/// let mask = [true, false, false, false];
/// let maps = [AnnotatedMap::new(&[0.9, 0.2, 0.4, 0.1], &mask, 2, 2), AnnotatedMap::normal(&[0.3, 0.2], 1, 2)];
/// let (mut first, mut second) = (PixelAccumulator::new(Connectivity::Eight), PixelAccumulator::new(Connectivity::Eight));
/// first.push(&maps[0])?;
/// second.push(&maps[1])?;
/// first.merge(second)?;
/// assert_eq!(first.held_bytes(), 8 + 5 * 4);
/// let figures = first.finish()?.figures(0.3)?;
/// assert_eq!(figures, PixelRanking::of(&maps, Connectivity::Eight)?.figures(0.3)?);
/// assert_eq!(figures.auroc, 1.0);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PixelAccumulator {
    connectivity: Connectivity,
    images: usize,
    normal: Blocks<u32>,
    anomalous: Blocks<RegionPixel>,
    regions: u64,
}

impl PixelAccumulator {
    /// An accumulator that has seen no image.
    pub fn new(connectivity: Connectivity) -> Self {
        Self {
            connectivity,
            images: 0,
            normal: Blocks::new(),
            anomalous: Blocks::new(),
            regions: 0,
        }
    }

    /// Makes room for a part of a set in one block, so that it becomes one run.
    pub(crate) fn with_room_for(pixels: usize, connectivity: Connectivity) -> Self {
        let mut empty = Self::new(connectivity);
        empty
            .normal
            .blocks
            .push(Vec::with_capacity(pixels.min(RUN)));
        empty
    }

    /// Takes in one image. After an error nothing has changed.
    ///
    /// # Errors
    /// [`MetricError::MapShape`], [`MetricError::MaskShape`], [`MetricError::NonFinitePixel`],
    /// [`MetricError::TooLarge`], naming the image by the number of those before it, and
    /// [`MetricError::Empty`] for a map without pixels.
    pub fn push(&mut self, map: &AnnotatedMap<'_>) -> Result<(), MetricError> {
        self.push_as(self.images, map)
    }

    /// Takes in one image that errors are to call `image`.
    pub(crate) fn push_as(
        &mut self,
        image: usize,
        map: &AnnotatedMap<'_>,
    ) -> Result<(), MetricError> {
        map.check(image)?;
        let regions = map
            .mask
            .map(|mask| Regions::of(mask, map.width, self.connectivity))
            .unwrap_or_default();
        regions.pieces(map.scores, |scores, region| match region {
            None => self.normal.extend(scores, |score| score.key()),
            Some(region) => {
                let size = regions.sizes[region];
                self.anomalous.extend(scores, |score| RegionPixel {
                    key: score.key(),
                    size,
                });
            }
        });
        self.regions += regions.sizes.len() as u64;
        self.images += 1;
        Ok(())
    }

    /// Takes over what another accumulator has seen, as if its images had been pushed here.
    ///
    /// # Errors
    /// [`MetricError::Unmergeable`] if the two differ in connectivity.
    pub fn merge(&mut self, other: Self) -> Result<(), MetricError> {
        if self.connectivity != other.connectivity {
            return Err(MetricError::Unmergeable {
                what: "connectivity",
            });
        }
        self.normal.append(other.normal);
        self.anomalous.append(other.anomalous);
        self.regions += other.regions;
        self.images += other.images;
        Ok(())
    }

    /// Number of images seen.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Bytes of pixel data held.
    pub fn held_bytes(&self) -> u64 {
        self.normal.bytes() + self.anomalous.bytes()
    }

    /// Sorts what was collected, once for all metrics, on all threads of the current rayon pool.
    ///
    /// # Errors
    /// [`MetricError::Empty`] without images, [`MetricError::NoAnomalousPixel`] if no mask marked a pixel, and
    /// [`MetricError::SingleClass`] if every pixel is anomalous.
    pub fn finish(self) -> Result<PixelRanking, MetricError> {
        PixelRanking::check_classes(
            self.images,
            self.anomalous.len as u64,
            self.normal.len as u64,
        )?;
        Ok(PixelRanking {
            ranking: Ranking::new(self.anomalous.into_vec(), self.normal.into_runs())?,
            images: self.images,
            regions: self.regions,
        })
    }
}

/// A sequence that grows without ever being copied, so that it never takes twice its size.
#[derive(Debug, Clone)]
struct Blocks<T> {
    blocks: Vec<Vec<T>>,
    len: usize,
}

/// Smallest block, in elements.
const SMALLEST: usize = 1 << 12;

impl<T: Copy + Send> Blocks<T> {
    fn new() -> Self {
        Self {
            blocks: Vec::new(),
            len: 0,
        }
    }

    fn extend<S: Copy>(&mut self, mut source: &[S], convert: impl Fn(S) -> T) {
        while !source.is_empty() {
            if self
                .blocks
                .last()
                .is_none_or(|block| block.len() == block.capacity())
            {
                self.blocks
                    .push(Vec::with_capacity((self.len / 8).clamp(SMALLEST, RUN)));
            }
            if let Some(block) = self.blocks.last_mut() {
                let (now, later) =
                    source.split_at(source.len().min(block.capacity() - block.len()));
                block.extend(now.iter().map(|&item| convert(item)));
                self.len += now.len();
                source = later;
            }
        }
    }

    fn append(&mut self, mut other: Self) {
        self.len += other.len;
        self.blocks.append(&mut other.blocks);
    }

    fn bytes(&self) -> u64 {
        self.len as u64 * size_of::<T>() as u64
    }

    fn into_vec(self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.len);
        self.blocks
            .into_iter()
            .for_each(|block| all.extend_from_slice(&block));
        all
    }

    /// Neighbouring blocks joined as far as one run allows: a walk asks every run about every step.
    fn into_runs(self) -> Vec<Vec<T>> {
        let mut groups: Vec<Vec<Vec<T>>> = Vec::new();
        let mut room = 0;
        for block in self.blocks {
            match groups.last_mut() {
                Some(group) if block.len() <= room => {
                    room -= block.len();
                    group.push(block);
                }
                _ => {
                    room = RUN.saturating_sub(block.len());
                    groups.push(vec![block]);
                }
            }
        }
        groups
            .into_par_iter()
            .map(|mut group| {
                if group.len() == 1 {
                    group.swap_remove(0)
                } else {
                    group.concat()
                }
            })
            .collect()
    }
}
