//! The figures of an evaluation, by the names that a page gives them.

use ckaad_engine::comparison::Ranking;
use ckaad_engine::evaluation::{ModelReport, Report};
use ckaad_metrics::{Bootstrap, average_precision};
use ckaad_report::{Figure, ModelFigures, ScoredImage};

/// Images up to which resampling takes seconds.
const RESAMPLED: usize = 5000;

const BOOTSTRAP: Bootstrap = Bootstrap {
    resamples: 1000,
    confidence: 0.95,
    seed: 0,
};

/// Those of the last model, which scored the images, and of the one that was best on validation.
pub(super) fn models(report: &Report, images: &[ScoredImage]) -> Vec<ModelFigures> {
    let last = &report.last;
    let best = report.best_on_validation.as_ref();
    let other = best.filter(|best| best.epoch != last.epoch);
    let also = match (best, other) {
        (Some(_), None) => ", the best on validation",
        _ => "",
    };
    let mut models = vec![ModelFigures {
        name: format!("last epoch ({}){also}", last.epoch),
        figures: figures(last, images),
    }];
    models.extend(other.map(|best| ModelFigures {
        name: format!("best on validation (epoch {})", best.epoch),
        figures: figures(best, &[]),
    }));
    // Figures that no model has are named by the page once, not row by row.
    let without: Vec<bool> = models[0]
        .figures
        .iter()
        .enumerate()
        .map(|(row, _)| {
            models
                .iter()
                .all(|model| model.figures[row].value.is_none())
        })
        .collect();
    for model in &mut models {
        let mut without = without.iter();
        model.figures.retain(|_| without.next() != Some(&true));
    }
    models
}

/// All figures that there can be, in one order.
pub(super) fn figures(model: &ModelReport, images: &[ScoredImage]) -> Vec<Figure> {
    let image = model.image.as_ref();
    let pixel = model.pixel.as_ref();
    let at = &model.at_threshold;
    let counts = &model.counts;
    let plain = |name: &str, value: Option<f64>| Figure {
        name: name.to_owned(),
        value,
        interval: None,
        counts: None,
    };
    let share = |name: &str, value: Option<f64>, of: usize| match value {
        // Shares of images are quotients of whole numbers.
        Some(value) => Figure::share(name, (value * of as f64).round() as u64, of as u64),
        None => plain(name, None),
    };
    vec![
        Figure {
            interval: image.and_then(|image| image.image_auroc_interval),
            ..plain("image AUROC", image.map(|image| image.image_auroc))
        },
        Figure {
            interval: resampled(images),
            ..plain(
                "image average precision",
                image.map(|image| image.image_average_precision),
            )
        },
        plain("oracle F1-max", image.map(|image| image.oracle_f1_max)),
        share(
            "accuracy at the threshold",
            Some(at.accuracy),
            counts.normal + counts.anomalous,
        ),
        share(
            "sensitivity (anomalous found)",
            at.sensitivity,
            counts.anomalous,
        ),
        share(
            "specificity (normal left alone)",
            at.specificity,
            counts.normal,
        ),
        plain("F1 at the threshold", at.f1),
        plain("pixel AUROC", pixel.map(|pixel| pixel.pixel_auroc)),
        plain(
            "pixel average precision",
            pixel.map(|pixel| pixel.pixel_average_precision),
        ),
        plain("AUPRO (limit 0.3)", pixel.map(|pixel| pixel.aupro_0_3)),
        plain("PRO per image", pixel.and_then(|pixel| pixel.pro_per_image)),
    ]
}

/// An AUROC.
pub(super) fn ranking(name: &str, of: Option<Ranking>) -> Figure {
    Figure {
        name: name.to_owned(),
        value: of.map(|of| of.auroc),
        interval: of.and_then(|of| of.interval),
        counts: None,
    }
}

/// The interval of the average precision.
fn resampled(images: &[ScoredImage]) -> Option<[f64; 2]> {
    if images.len() > RESAMPLED {
        return None;
    }
    let scores: Vec<f64> = images.iter().map(|image| image.score).collect();
    let labels: Vec<bool> = images.iter().map(|image| image.anomalous).collect();
    let found = BOOTSTRAP.interval(&scores, &labels, average_precision);
    let [low, high] = found.ok().map(|interval| [interval.low, interval.high])?;
    // A perfect ranking stays one however it is resampled, which says nothing of other images.
    (low < high).then_some([low, high])
}
