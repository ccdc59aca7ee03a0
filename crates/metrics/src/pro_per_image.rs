//! PRO as RD4AD-style papers report it: an average of per-image curves.

use rayon::prelude::*;

use crate::error::MetricError;
use crate::map::AnnotatedMap;
use crate::regions::{Connectivity, Regions};

/// Steps between the lowest and the highest score of an image.
const STEPS: f32 = 200.0;

/// Curves are kept where the false-positive rate is below this.
const FPR_LIMIT: f64 = 0.3;

/// PRO as RD4AD-style papers report it: the mean of [`pro_of_map`] over the anomalous images, in \[0, 1\].
///
/// This is not the dataset-wide [`aupro`](crate::aupro), under whose name it is often reported: every image has
/// a curve and thresholds of its own, so it does not ask whether one threshold serves all images, and false
/// positives on normal images do not count at all.
///
/// Source: the evaluation published with Deng, Li, Anomaly Detection via Reverse Distillation from One-Class
/// Embedding (CVPR 2022).
///
/// # Errors
/// [`MetricError::Empty`] without images, [`MetricError::NoAnomalousPixel`] without an anomalous one, and those of
/// [`pro_of_map`] for the first image that has one.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, Connectivity, pro_per_image};
/// let scores: Vec<f32> = (0..100).map(|i| (i * 37 % 100) as f32).collect();
/// let mask: Vec<bool> = scores.iter().map(|&score| score > 80.0 && score != 90.0).collect();
/// let maps = [AnnotatedMap::new(&scores, &mask, 10, 10), AnnotatedMap::normal(&scores, 10, 10)];
/// assert!((pro_per_image(&maps, Connectivity::Eight)? - 0.979_938).abs() < 1e-6);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn pro_per_image(
    maps: &[AnnotatedMap<'_>],
    connectivity: Connectivity,
) -> Result<f64, MetricError> {
    if maps.is_empty() {
        return Err(MetricError::Empty);
    }
    let areas: Vec<Result<Option<f64>, MetricError>> = maps
        .par_iter()
        .enumerate()
        .map(|(image, map)| pro_of_map(image, map, connectivity))
        .collect();
    let (mut sum, mut count) = (0.0, 0_u32);
    for area in areas {
        if let Some(area) = area? {
            sum += area;
            count += 1;
        }
    }
    if count == 0 {
        return Err(MetricError::NoAnomalousPixel { images: maps.len() });
    }
    Ok(sum / f64::from(count))
}

/// One image's part in [`pro_per_image`]; `None` for a normal image. `image` is the position that errors name.
///
/// 200 thresholds (201 where rounding adds one) divide the range of the map's scores, from its lowest score up;
/// predicted anomalous means `score > threshold`. At each threshold x is the share of the image's normal pixels
/// above it and y the mean over its regions of the share covered. Points with x < 0.3 are kept, their x is divided
/// by the greatest, and the trapezoidal area under them is the result.
///
/// # Errors
/// Those of [`PixelAccumulator::push`](crate::PixelAccumulator::push), and [`MetricError::UndefinedPro`] where the
/// definition divides by zero: a map of one score, a mask that covers the image, or no kept point with a
/// false positive.
///
/// ```
/// use ckaad_metrics::{AnnotatedMap, Connectivity, pro_of_map};
/// assert_eq!(pro_of_map(0, &AnnotatedMap::normal(&[0.1, 0.9], 1, 2), Connectivity::Eight)?, None);
/// # Ok::<(), ckaad_metrics::MetricError>(())
/// ```
pub fn pro_of_map(
    image: usize,
    map: &AnnotatedMap<'_>,
    connectivity: Connectivity,
) -> Result<Option<f64>, MetricError> {
    map.check(image)?;
    let Some(regions) = map
        .mask
        .map(|mask| Regions::of(mask, map.width, connectivity))
        .filter(|r| !r.runs.is_empty())
    else {
        return Ok(None);
    };
    let undefined = |reason| Err(MetricError::UndefinedPro { image, reason });
    let anomalous: u64 = regions.sizes.iter().map(|&size| u64::from(size)).sum();
    let normal = map.scores.len() as u64 - anomalous;
    if normal == 0 {
        return undefined("the mask covers the whole image");
    }
    let Some(thresholds) = thresholds(map.scores) else {
        return undefined("its scores span no range to divide into 200 steps");
    };
    // A pixel is predicted at the thresholds below its score, which are the first so many.
    let passed = |score: f32| thresholds.partition_point(|&threshold| threshold < score);
    let levels = thresholds.len() + 1;
    let mut normal_passing = vec![0_u64; levels];
    let mut region_passing = vec![0.0_f64; levels];
    let mut counts = vec![0_u32; regions.sizes.len() * levels];
    regions.pieces(map.scores, |scores, region| match region {
        None => scores
            .iter()
            .for_each(|&score| normal_passing[passed(score)] += 1),
        Some(region) => {
            let counts = &mut counts[region * levels..][..levels];
            scores.iter().for_each(|&score| counts[passed(score)] += 1);
        }
    });
    for (counts, &size) in counts.chunks_exact(levels).zip(&regions.sizes) {
        let mut through = 0;
        for (mean, count) in region_passing.iter_mut().zip(counts).rev() {
            through += count;
            *mean += f64::from(through) / f64::from(size) / regions.sizes.len() as f64;
        }
    }
    // From the highest threshold to the lowest; entry i + 1 and above pass threshold i.
    let mut curve = Vec::with_capacity(thresholds.len());
    let mut false_positives = 0;
    for index in (0..thresholds.len()).rev() {
        false_positives += normal_passing[index + 1];
        let fpr = false_positives as f64 / normal as f64;
        if fpr >= FPR_LIMIT {
            break;
        }
        curve.push((fpr, region_passing[index + 1]));
    }
    match curve.last() {
        Some(&(greatest, _)) if greatest > 0.0 => {
            let area: f64 = curve
                .windows(2)
                .map(|p| (p[1].0 - p[0].0) / greatest * (p[0].1 + p[1].1) / 2.0)
                .sum();
            Ok(Some(area))
        }
        _ => undefined("no threshold has a false-positive rate between 0 and 0.3"),
    }
}

/// `lowest, lowest + step, ...` below the highest score, step = range / 200, in single precision as the
/// maps are: rounding may add a 201st. `None` if there is no range.
fn thresholds(scores: &[f32]) -> Option<Vec<f32>> {
    let (low, high) = scores
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &s| {
            (low.min(s), high.max(s))
        });
    let step = (high - low) / STEPS;
    // The distance between the first two thresholds, as they are representable, is kept by all others.
    let spacing = (low + step) - low;
    if !(step > 0.0 && step.is_finite() && spacing > 0.0) {
        return None;
    }
    let count = ((high - low) / step).ceil() as usize;
    Some(
        (0..count)
            .map(|index| low + index as f32 * spacing)
            .collect(),
    )
}
