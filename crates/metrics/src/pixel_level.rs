//! Figures of anomaly maps against masks, pixel by pixel and region by region.

use crate::binned::{Binned, BinnedPixelAccumulator};
use crate::error::MetricError;
use crate::image_level::{OracleF1, check_share};
use crate::map::AnnotatedMap;
use crate::pixel_ranking::PixelRanking;
use crate::regions::Connectivity;

/// Area under the ROC curve of all pixels of all images, pooled, in \[0, 1\].
///
/// As [`auroc`](crate::auroc), with pixels as samples. Large regions dominate it, and since nearly all pixels are
/// normal it stays high when small regions are missed; [`aupro`] answers that.
///
/// # Errors
/// [`MetricError::Empty`]; [`MetricError::MapShape`], [`MetricError::MaskShape`], [`MetricError::NonFinitePixel`] and
/// [`MetricError::TooLarge`], each naming the image; [`MetricError::NoAnomalousPixel`] if no mask marks a pixel;
/// [`MetricError::SingleClass`] if every pixel is marked.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, pixel_auroc};
/// let mask = [true, false, false, false];
/// let maps = [AnnotatedMap::new(&[0.5, 0.75, 0.25, 0.0], &mask, 2, 2), AnnotatedMap::normal(&[0.0], 1, 1)];
/// assert_eq!(pixel_auroc(&maps)?, 0.75);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn pixel_auroc(maps: &[AnnotatedMap<'_>]) -> Result<f64, MetricError> {
    Ok(PixelRanking::of(maps, Connectivity::default())?.auroc())
}

/// Average precision of all pixels of all images, pooled, in (0, 1\].
///
/// As [`average_precision`](crate::average_precision), with pixels as samples.
///
/// # Errors
/// Those of [`pixel_auroc`].
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, pixel_average_precision};
/// let mask = [true, false, false, false];
/// let maps = [AnnotatedMap::new(&[0.5, 0.75, 0.25, 0.0], &mask, 2, 2)];
/// assert_eq!(pixel_average_precision(&maps)?, 0.5);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn pixel_average_precision(maps: &[AnnotatedMap<'_>]) -> Result<f64, MetricError> {
    Ok(PixelRanking::of(maps, Connectivity::default())?.average_precision())
}

/// F1-max of all pixels of all images, pooled, with its threshold, taken from the evaluated set.
///
/// As [`oracle_f1_max`](crate::oracle_f1_max), with pixels as samples (this is twice the overlap over the sum of
/// sizes, the Dice coefficient, at its best threshold).
///
/// # Errors
/// Those of [`pixel_auroc`].
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, pixel_oracle_f1_max};
/// let mask = [true, false, false, false];
/// let maps = [AnnotatedMap::new(&[0.5, 0.75, 0.25, 0.0], &mask, 2, 2)];
/// let best = pixel_oracle_f1_max(&maps)?;
/// assert_eq!((best.f1, best.threshold), (2.0 / 3.0, 0.5));
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
#[doc(alias = "pixel_f1_max")]
pub fn pixel_oracle_f1_max(maps: &[AnnotatedMap<'_>]) -> Result<OracleF1, MetricError> {
    PixelRanking::of(maps, Connectivity::default())?.oracle_f1_max()
}

/// Area under the per-region overlap over false-positive rates from 0 to `limit`, divided by it; in \[0, 1\].
///
/// `1 / limit * integral of PRO(x) dx for x in [0, limit]`, where at a threshold t
/// - `PRO = mean over all regions of all images of (pixels of the region with score >= t) / (pixels of the region)`,
/// - `x = share of all normal pixels of all images with score >= t`,
///
/// every distinct score of the set is a threshold, and the curve is linear between them and up to the limit. Every
/// region counts the same, however small. MVTec AD's papers use `limit` 0.3 and [`Connectivity::Eight`];
/// MVTec AD 2 and MVTec LOCO's sPRO use 0.05. Coverage is summed in integers and cannot exceed 1.
///
/// Source: Bergmann et al., International Journal of Computer Vision 129 (2021), section 6.
///
/// # Errors
/// Those of [`pixel_auroc`], and [`MetricError::InvalidParameter`] for the limit, which lies in (0, 1\].
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, Connectivity, aupro};
/// // Two regions: one pixel, found at once, and two pixels, of which one is found late.
/// let mask = [true, false, true, false, false, true];
/// let maps = [AnnotatedMap::new(&[0.9, 0.5, 0.8, 0.3, 0.1, 0.2], &mask, 2, 3)];
/// assert!((aupro(&maps, 1.0, Connectivity::Eight)? - 5.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn aupro(
    maps: &[AnnotatedMap<'_>],
    limit: f64,
    connectivity: Connectivity,
) -> Result<f64, MetricError> {
    check_share("AUPRO limit", limit)?;
    PixelRanking::of(maps, connectivity)?.aupro(limit)
}

/// [`aupro`] with the range of the scores cut into `bins` bins of equal width, each bin one threshold.
///
/// Needs 32 bytes per bin instead of up to 8 per pixel. The result states how far it can be from the exact
/// figure, computed from the counts: within a bin the curve may be any rising curve, and so differs from the
/// straight line by at most half of `(rise of FPR) * (rise of PRO)`, or somewhat more where the limit cuts the bin.
/// For sets that do not fit in memory see [`BinnedPixelAccumulator`].
///
/// # Errors
/// Those of [`aupro`], and [`MetricError::InvalidParameter`] unless `bins` is from 1 to 2^24.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, Connectivity, aupro, aupro_binned};
/// let mask = [true, false, true, false, false, true];
/// let maps = [AnnotatedMap::new(&[0.9, 0.5, 0.8, 0.3, 0.1, 0.2], &mask, 2, 3)];
/// let binned = aupro_binned(&maps, 1.0, Connectivity::Eight, 4)?;
/// assert!((binned.value - 19.0 / 24.0).abs() < 1e-12);
/// assert!((binned.error_bound - 1.0 / 24.0).abs() < 1e-12);
/// let exact = aupro(&maps, 1.0, Connectivity::Eight)?;
/// assert!((exact - binned.value).abs() <= binned.error_bound + 1e-12);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn aupro_binned(
    maps: &[AnnotatedMap<'_>],
    limit: f64,
    connectivity: Connectivity,
    bins: usize,
) -> Result<Binned, MetricError> {
    check_share("AUPRO limit", limit)?;
    let scores = || maps.iter().flat_map(|map| map.scores);
    let low = scores().copied().fold(f32::INFINITY, f32::min);
    let high = scores().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut set = BinnedPixelAccumulator::between(low, high, bins, connectivity)?;
    for map in maps {
        set.push(map)?;
    }
    Ok(set.figures(limit)?.aupro)
}
