//! Exact pixel metrics from one image at a time.

use rayon::prelude::*;

use crate::error::MetricError;
use crate::map::AnnotatedMap;
use crate::pixel_level::{PixelRanking, RegionPixel};
use crate::radix::RUN;
use crate::ranking::Ranking;
use crate::regions::{Connectivity, Regions};
use crate::score::sealed::Rank;

/// Collects maps for exact metrics: 4 bytes per normal pixel, 8 per anomalous pixel and 4 per region,
/// which is at most 8 bytes per pixel.
#[derive(Debug, Clone)]
pub struct PixelAccumulator {
    connectivity: Connectivity,
    images: usize,
    normal: Blocks<u32>,
    anomalous: Blocks<RegionPixel>,
    region_sizes: Blocks<u32>,
}

impl PixelAccumulator {
    /// An accumulator that has seen no image.
    pub fn new(connectivity: Connectivity) -> Self {
        Self {
            connectivity,
            images: 0,
            normal: Blocks::new(),
            anomalous: Blocks::new(),
            region_sizes: Blocks::new(),
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
        let first =
            u32::try_from(self.region_sizes.len).map_err(|_| MetricError::TooLarge { image })?;
        if first.checked_add(regions.sizes.len() as u32).is_none() {
            return Err(MetricError::TooLarge { image });
        }
        let mut done = 0;
        for run in &regions.runs {
            let end = run.start + run.len;
            self.normal
                .extend(&map.scores[done..run.start], |score| score.key());
            let region = first + run.region;
            self.anomalous
                .extend(&map.scores[run.start..end], |score| RegionPixel {
                    key: score.key(),
                    region,
                });
            done = end;
        }
        self.normal.extend(&map.scores[done..], |score| score.key());
        self.region_sizes.extend(&regions.sizes, |size| size);
        self.images += 1;
        Ok(())
    }

    /// Takes over what another accumulator has seen, as if its images had been pushed here.
    pub fn merge(&mut self, mut other: Self) -> Result<(), MetricError> {
        if self.connectivity != other.connectivity {
            return Err(MetricError::Unmergeable {
                what: "connectivity",
            });
        }
        let too_large = MetricError::TooLarge { image: self.images };
        let first = u32::try_from(self.region_sizes.len).map_err(|_| too_large.clone())?;
        if u64::from(first) + other.region_sizes.len as u64 > u64::from(u32::MAX) {
            return Err(too_large);
        }
        for pixel in other.anomalous.blocks.iter_mut().flatten() {
            pixel.region += first;
        }
        self.normal.append(other.normal);
        self.anomalous.append(other.anomalous);
        self.region_sizes.append(other.region_sizes);
        self.images += other.images;
        Ok(())
    }

    /// Number of images seen.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Bytes of pixel and region data held.
    pub fn held_bytes(&self) -> u64 {
        self.normal.bytes() + self.anomalous.bytes() + self.region_sizes.bytes()
    }

    /// Sorts what was collected, once for all metrics.
    pub fn finish(self) -> Result<PixelRanking, MetricError> {
        PixelRanking::check_classes(
            self.images,
            self.anomalous.len as u64,
            self.normal.len as u64,
        )?;
        let sizes = self.region_sizes.into_vec();
        let weights = sizes
            .iter()
            .map(|&size| PixelRanking::REGION / u128::from(size))
            .collect();
        let ranking = Ranking::new(self.anomalous.into_vec(), self.normal.into_runs(), weights)?;
        Ok(PixelRanking {
            ranking,
            images: self.images,
            regions: sizes.len() as u64,
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
