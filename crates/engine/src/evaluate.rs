//! A trained run on its test images.

use ckaad_data::{ImageStore, MaskRule, Sample, load_mask};
use ckaad_metrics::{
    AnnotatedMap, Confusion, Connectivity, PixelAccumulator, auroc, auroc_delong,
    average_precision, oracle_f1_max, pro_of_map,
};
use std::collections::BTreeMap;

use crate::event::{Event, Observer};
use crate::features::{CHUNK, images};
use crate::model_file::ModelInfo;
use crate::report::{AtThreshold, Counts, ImageFigures, ModelReport, PixelReport};
use crate::{Detector, EngineError};

/// The upper limit of the false-positive rate in AUPRO.
const AUPRO_LIMIT: f64 = 0.3;

/// A test image's score.
#[derive(Debug, Clone, PartialEq)]
pub struct TestScore {
    /// The image.
    pub sample: Sample,
    /// Its score.
    pub score: f64,
}

/// Scores test images with a model and computes every metric that is defined on them. `mask_rule` says when a pixel of their
/// masks is anomalous.
///
/// # Errors
/// [`EngineError::Data`] if a mask cannot be read, [`EngineError::Metric`] if a metric fails.
pub(crate) fn evaluate(
    detector: &Detector,
    info: &ModelInfo,
    store: &ImageStore,
    mask_rule: MaskRule,
    observer: Observer<'_>,
) -> Result<(ModelReport, Vec<TestScore>), EngineError> {
    let device = detector.device();
    let samples = store.samples().to_vec();
    let mut pixels = PixelLevel::new(&samples, detector.config().image_size, mask_rule);
    let mut scores = Vec::with_capacity(samples.len());
    let indices: Vec<usize> = (0..samples.len()).collect();
    for chunk in indices.chunks(CHUNK) {
        for (&index, scored) in chunk
            .iter()
            .zip(detector.score(images(store, chunk, device)))
        {
            if let Some(pixels) = &mut pixels {
                pixels.push(index, &samples[index], &scored.map)?;
            }
            scores.push(scored.score);
        }
        observer(Event::Progress {
            what: "scoring test images",
            done: scores.len(),
            total: samples.len(),
        });
    }
    let labels: Vec<bool> = samples
        .iter()
        .map(|sample| sample.label.is_anomalous())
        .collect();
    let both = labels.contains(&true) && labels.contains(&false);
    let report = ModelReport {
        epoch: info.epoch,
        validation_auroc: info.validation_auroc,
        image: if both {
            Some(image_figures(&scores, &labels)?)
        } else {
            None
        },
        at_threshold: at_threshold(&scores, &labels, info)?,
        pixel: pixels.map(PixelLevel::finish).transpose()?,
        threshold: info.threshold.clone(),
        counts: counts(&samples),
    };
    let scores = samples
        .into_iter()
        .zip(scores)
        .map(|(sample, score)| TestScore { sample, score });
    Ok((report, scores.collect()))
}

fn image_figures(scores: &[f64], labels: &[bool]) -> Result<ImageFigures, EngineError> {
    let oracle = oracle_f1_max(scores, labels)?;
    // Not defined for a perfect ranking or a single image of a kind.
    let interval = auroc_delong(scores, labels, 0.95).ok();
    Ok(ImageFigures {
        image_auroc: auroc(scores, labels)?,
        image_auroc_interval: interval.map(|interval| [interval.low, interval.high]),
        image_average_precision: average_precision(scores, labels)?,
        oracle_f1_max: oracle.f1,
        oracle_threshold: oracle.threshold,
        oracle_accuracy: oracle.confusion.accuracy(),
    })
}

fn at_threshold(
    scores: &[f64],
    labels: &[bool],
    info: &ModelInfo,
) -> Result<AtThreshold, EngineError> {
    let confusion = Confusion::at_threshold(scores, labels, info.threshold.value)?;
    Ok(AtThreshold {
        accuracy: confusion.accuracy(),
        f1: confusion.f1().ok(),
        sensitivity: confusion.sensitivity().ok(),
        specificity: confusion.specificity().ok(),
    })
}

fn counts(samples: &[Sample]) -> Counts {
    let mut classes = BTreeMap::new();
    for sample in samples {
        *classes.entry(sample.class.clone()).or_insert(0) += 1;
    }
    let anomalous = samples
        .iter()
        .filter(|sample| sample.label.is_anomalous())
        .count();
    Counts {
        normal: samples.len() - anomalous,
        anomalous,
        classes,
    }
}

/// Collects maps and masks, one image at a time.
struct PixelLevel {
    size: usize,
    rule: MaskRule,
    ranking: PixelAccumulator,
    /// Sum and number of per-image areas.
    per_image: (f64, u32),
}

impl PixelLevel {
    /// `None` unless every anomalous image has a mask: without one it cannot be said which pixels are anomalous.
    fn new(samples: &[Sample], size: usize, rule: MaskRule) -> Option<Self> {
        let mut anomalous = samples
            .iter()
            .filter(|sample| sample.label.is_anomalous())
            .peekable();
        anomalous.peek()?;
        let masked = anomalous
            .clone()
            .filter(|sample| sample.mask.is_some())
            .count();
        let all = anomalous.count();
        if masked < all {
            if masked > 0 {
                tracing::warn!(
                    "{} anomalous test images have no mask: no pixel-level metrics",
                    all - masked
                );
            }
            return None;
        }
        Some(Self {
            size,
            rule,
            ranking: PixelAccumulator::new(Connectivity::Eight),
            per_image: (0.0, 0),
        })
    }

    fn push(
        &mut self,
        index: usize,
        sample: &Sample,
        map: &ckaad_anomaly_map::AnomalyMap,
    ) -> Result<(), EngineError> {
        let mask = match &sample.mask {
            Some(path) => Some(load_mask(path, self.size, self.rule)?),
            None => None,
        };
        let map = match &mask {
            Some(mask) => AnnotatedMap::new(&map.values, &mask.pixels, map.height, map.width),
            None => AnnotatedMap::normal(&map.values, map.height, map.width),
        };
        self.ranking.push(&map)?;
        if let Some(area) = pro_of_map(index, &map, Connectivity::Eight)? {
            self.per_image.0 += area;
            self.per_image.1 += 1;
        }
        Ok(())
    }

    fn finish(self) -> Result<PixelReport, EngineError> {
        let ranking = self.ranking.finish()?;
        let figures = ranking.figures(AUPRO_LIMIT)?;
        Ok(PixelReport {
            pixel_auroc: figures.auroc,
            pixel_average_precision: figures.average_precision,
            pixel_oracle_f1_max: figures.oracle_f1.f1,
            aupro_0_3: figures.aupro,
            pro_per_image: self.per_image.0 / f64::from(self.per_image.1),
            regions: ranking.regions(),
            resolution: [self.size, self.size],
        })
    }
}
