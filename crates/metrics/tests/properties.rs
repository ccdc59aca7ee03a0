//! What must hold for any input.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod definition;

use ckaad_metrics::{
    AnnotatedMap, BinnedPixelAccumulator, Confusion, Connectivity, MetricError, PixelAccumulator,
    PixelRanking, ThresholdRule, aupro, aupro_binned, auroc, auroc_delong, average_precision,
    oracle_f1_max, oracle_sensitivity_at_specificity, oracle_specificity_at_sensitivity,
    partial_auroc, precision_recall_curve, roc_curve,
};
use definition::Image;
use proptest::prelude::*;

/// Labelled scores with many ties, both classes present.
fn labelled() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    prop::collection::vec((-40..40_i32, any::<bool>()), 2..120)
        .prop_map(|samples| {
            samples
                .into_iter()
                .map(|(s, label)| (f64::from(s) / 8.0, label))
                .unzip()
        })
        .prop_filter("both classes", |(_, labels): &(_, Vec<bool>)| {
            labels.contains(&true) && labels.contains(&false)
        })
}

/// Sets of maps of mixed sizes with ties, some pixels of both classes.
fn images() -> impl Strategy<Value = Vec<Image>> {
    let image = (1..9_usize, 1..9_usize).prop_flat_map(|(width, height)| {
        let pixel = (-20..40_i32, prop::bool::weighted(0.35));
        prop::collection::vec(pixel, width * height).prop_map(move |pixels| {
            let (scores, mask) = pixels
                .into_iter()
                .map(|(s, marked)| (s as f32 / 16.0, marked))
                .unzip();
            Image {
                scores,
                mask,
                width,
            }
        })
    });
    prop::collection::vec(image, 1..7).prop_filter("both classes", |images| {
        let mut pixels = images.iter().flat_map(|image| &image.mask);
        pixels.clone().any(|&m| m) && pixels.any(|&m| !m)
    })
}

fn annotated(images: &[Image]) -> Vec<AnnotatedMap<'_>> {
    let height = |image: &Image| image.mask.len() / image.width;
    images
        .iter()
        .map(|i| AnnotatedMap::new(&i.scores, &i.mask, height(i), i.width))
        .collect()
}

fn connectivity() -> impl Strategy<Value = Connectivity> {
    prop_oneof![Just(Connectivity::Four), Just(Connectivity::Eight)]
}

fn accumulate(maps: &[AnnotatedMap<'_>], connectivity: Connectivity) -> PixelAccumulator {
    let mut set = PixelAccumulator::new(connectivity);
    maps.iter().for_each(|map| set.push(map).unwrap());
    set
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-12
}

proptest! {
    #[test]
    fn image_figures_follow_their_definitions((scores, labels) in labelled()) {
        prop_assert!(close(auroc(&scores, &labels).unwrap(), definition::auroc(&scores, &labels)));
        let ap = average_precision(&scores, &labels).unwrap();
        prop_assert!(close(ap, definition::average_precision(&scores, &labels)));
        let best = oracle_f1_max(&scores, &labels).unwrap();
        prop_assert!(close(best.f1, definition::f1_max(&scores, &labels)));
        let (tp, fp) = definition::positives(&scores, &labels, best.threshold);
        prop_assert_eq!((best.confusion.tp as f64, best.confusion.fp as f64), (tp, fp));
        prop_assert!(close(partial_auroc(&scores, &labels, 1.0).unwrap().area, auroc(&scores, &labels).unwrap()));
    }

    #[test]
    fn a_rising_map_of_the_scores_changes_nothing((scores, labels) in labelled()) {
        let mapped: Vec<f64> = scores.iter().map(|s| s * s * s + 2.0 * s - 7.0).collect();
        let narrow: Vec<f32> = scores.iter().map(|&s| s as f32).collect();
        let figures = |s: &[f64]| (
            auroc(s, &labels).unwrap(),
            average_precision(s, &labels).unwrap(),
            oracle_f1_max(s, &labels).unwrap().f1,
            partial_auroc(s, &labels, 0.3).unwrap(),
            oracle_sensitivity_at_specificity(s, &labels, 0.9).unwrap().sensitivity,
        );
        prop_assert_eq!(figures(&scores), figures(&mapped));
        prop_assert_eq!(auroc(&narrow, &labels).unwrap(), auroc(&scores, &labels).unwrap());
    }

    #[test]
    fn turning_the_scores_round_mirrors_auroc((scores, labels) in labelled()) {
        let negated: Vec<f64> = scores.iter().map(|s| -s).collect();
        prop_assert!(close(auroc(&negated, &labels).unwrap(), 1.0 - auroc(&scores, &labels).unwrap()));
    }

    #[test]
    fn curves_enclose_the_areas((scores, labels) in labelled(), limit in 0.01..1.0_f64) {
        let roc = roc_curve(&scores, &labels).unwrap();
        let points: Vec<(f64, f64)> = roc.fpr.iter().copied().zip(roc.tpr.iter().copied()).collect();
        let area_to = |limit: f64| -> f64 {
            points.windows(2).filter(|p| p[0].0 < limit).map(|p| {
                let ((x0, y0), (x1, y1)) = (p[0], p[1]);
                let x = x1.min(limit);
                let y = if x1 > x0 { y0 + (y1 - y0) * (x - x0) / (x1 - x0) } else { y1 };
                (x - x0) * (y0 + y) / 2.0
            }).sum()
        };
        prop_assert!(close(area_to(1.0), auroc(&scores, &labels).unwrap()));
        prop_assert!(close(area_to(limit), partial_auroc(&scores, &labels, limit).unwrap().area));
        let curve = precision_recall_curve(&scores, &labels).unwrap();
        let steps = curve.recall.windows(2).zip(&curve.precision);
        let area: f64 = steps.map(|(recall, precision)| (recall[0] - recall[1]) * precision).sum();
        prop_assert!(close(area, average_precision(&scores, &labels).unwrap()));
    }

    #[test]
    fn operating_points_are_the_best_of_the_curve((scores, labels) in labelled(), share in 0.01..=1.0_f64) {
        let curve = roc_curve(&scores, &labels).unwrap();
        let points = || curve.fpr.iter().map(|fpr| 1.0 - fpr).zip(curve.tpr.iter().copied());
        // 1 - fpr rounds where the crate divides integers, hence the small allowance in the search.
        let best = points().filter(|p| p.0 >= share - 1e-12).map(|p| p.1).fold(0.0, f64::max);
        prop_assert!(close(oracle_sensitivity_at_specificity(&scores, &labels, share).unwrap().sensitivity, best));
        let best = points().filter(|p| p.1 >= share - 1e-12).map(|p| p.0).fold(0.0, f64::max);
        prop_assert!(close(oracle_specificity_at_sensitivity(&scores, &labels, share).unwrap().specificity, best));
    }

    #[test]
    fn fitted_thresholds_are_the_best((scores, labels) in labelled()) {
        let youden = |threshold: f64| {
            let at = Confusion::at_threshold(&scores, &labels, threshold).unwrap();
            at.sensitivity().unwrap() + at.specificity().unwrap() - 1.0
        };
        let best = scores.iter().map(|&s| youden(s)).fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(close(youden(ThresholdRule::Youden.fit(&scores, &labels).unwrap()), best));
        let chosen = ThresholdRule::MaxF1.fit(&scores, &labels).unwrap();
        let f1 = Confusion::at_threshold(&scores, &labels, chosen).unwrap().f1().unwrap();
        prop_assert!(close(f1, definition::f1_max(&scores, &labels)));
    }

    #[test]
    fn delong_follows_its_definition((scores, labels) in labelled()) {
        let of_class = |wanted: bool| -> Vec<f64> {
            scores.iter().zip(&labels).filter(|&(_, &l)| l == wanted).map(|(&s, _)| s).collect()
        };
        let (anomalous, normal) = (of_class(true), of_class(false));
        let won = |a: f64, n: f64| if a > n { 1.0 } else { f64::from(u8::from(a == n)) / 2.0 };
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let variance = |v: &[f64]| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>() / (v.len() - 1) as f64;
        let v: Vec<f64> = anomalous.iter().map(|&a| mean(&normal.iter().map(|&n| won(a, n)).collect::<Vec<_>>())).collect();
        let w: Vec<f64> = normal.iter().map(|&n| mean(&anomalous.iter().map(|&a| won(a, n)).collect::<Vec<_>>())).collect();
        match auroc_delong(&scores, &labels, 0.95) {
            Err(MetricError::TooFew { .. }) => prop_assert!(v.len() < 2 || w.len() < 2),
            Err(MetricError::ZeroVariance { .. }) => prop_assert!(close(variance(&v) + variance(&w), 0.0)),
            found => {
                let expected = variance(&v) / v.len() as f64 + variance(&w) / w.len() as f64;
                let found = found.unwrap();
                prop_assert!(close(found.standard_error.powi(2), expected));
                prop_assert!(found.low <= found.auroc && found.auroc <= found.high);
            }
        }
    }

    #[test]
    fn pixel_figures_follow_their_definitions(images in images(), connectivity in connectivity(), limit in 0.01..=1.0_f64) {
        let maps = annotated(&images);
        let figures = PixelRanking::of(&maps, connectivity).unwrap().figures(limit).unwrap();
        let scores: Vec<f64> = images.iter().flat_map(|i| i.scores.iter().map(|&s| f64::from(s))).collect();
        let labels: Vec<bool> = images.iter().flat_map(|i| i.mask.iter().copied()).collect();
        prop_assert!(close(figures.auroc, definition::auroc(&scores, &labels)));
        prop_assert!(close(figures.average_precision, definition::average_precision(&scores, &labels)));
        prop_assert!(close(figures.oracle_f1.f1, definition::f1_max(&scores, &labels)));
        let expected = definition::aupro(&images, limit, connectivity == Connectivity::Eight);
        prop_assert!(close(figures.aupro, expected), "{} {}", figures.aupro, expected);
        prop_assert_eq!(figures.aupro, aupro(&maps, limit, connectivity).unwrap());
        prop_assert!((0.0..=1.0).contains(&figures.aupro));
    }

    #[test]
    fn streamed_and_merged_equal_one_shot(images in images(), connectivity in connectivity(), cut in 0..7_usize) {
        let maps = annotated(&images);
        let expected = PixelRanking::of(&maps, connectivity).unwrap().figures(0.3).unwrap();
        let streamed = accumulate(&maps, connectivity);
        prop_assert!(streamed.held_bytes() <= 8 * images.iter().map(|i| i.mask.len() as u64).sum::<u64>());
        prop_assert_eq!(streamed.finish().unwrap().figures(0.3).unwrap(), expected);
        let (first, second) = maps.split_at(cut.min(maps.len()));
        // In the other order too: sums are exact, so not even the last bit may differ.
        let mut merged = accumulate(second, connectivity);
        merged.merge(accumulate(first, connectivity)).unwrap();
        prop_assert_eq!(merged.finish().unwrap().figures(0.3).unwrap(), expected);
    }

    #[test]
    fn binned_stays_within_its_bound(
        images in images(), connectivity in connectivity(), bins in 1..40_usize, limit in 0.01..=1.0_f64, low in -2.0..2.0_f32, width in 0.01..3.0_f32,
    ) {
        let maps = annotated(&images);
        let exact = PixelRanking::of(&maps, connectivity).unwrap().figures(limit).unwrap();
        let mut set = BinnedPixelAccumulator::new(low, low + width, bins, connectivity).unwrap();
        maps.iter().for_each(|map| set.push(map).unwrap());
        let figures = set.figures(limit).unwrap();
        for (name, binned, exact) in [
            ("auroc", figures.auroc, exact.auroc),
            ("average precision", figures.average_precision, exact.average_precision),
            ("f1", figures.oracle_f1_max, exact.oracle_f1.f1),
            ("aupro", figures.aupro, exact.aupro),
            ("aupro of the observed range", aupro_binned(&maps, limit, connectivity, bins).unwrap(), exact.aupro),
        ] {
            prop_assert!((binned.value - exact).abs() <= binned.error_bound + 1e-12, "{}: {:?} {}", name, binned, exact);
        }
        let mut parts = maps.iter().map(|map| {
            let mut part = BinnedPixelAccumulator::new(low, low + width, bins, connectivity).unwrap();
            part.push(map).unwrap();
            part
        });
        let mut merged = parts.next().unwrap();
        parts.for_each(|part| merged.merge(&part).unwrap());
        prop_assert_eq!(merged.figures(limit).unwrap(), figures);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let image = |k: u32| Image {
        scores: (0..40_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(k * 77) >> 8) as f32)
            .collect(),
        mask: (0..40_000_u32)
            .map(|i| (i / 200 % 31 < 9) && (i % 200 % 23 < k + 3))
            .collect(),
        width: 200,
    };
    let images: Vec<Image> = (0..7).map(image).collect();
    let maps = annotated(&images);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            PixelRanking::of(&maps, Connectivity::Eight)
                .unwrap()
                .figures(0.3)
                .unwrap()
        })
    };
    assert_eq!(on(1), on(2));
    assert_eq!(on(1), on(5));
}

#[test]
fn many_bins_come_close() {
    let image = Image {
        scores: (0..40_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32)
            .collect(),
        mask: (0..40_000_u32)
            .map(|i| (i / 200 % 31 < 9) && (i % 200 % 23 < 4))
            .collect(),
        width: 200,
    };
    let maps = annotated(std::slice::from_ref(&image));
    let binned = aupro_binned(&maps, 0.3, Connectivity::Eight, 10_000).unwrap();
    assert!(binned.error_bound < 1e-3, "{binned:?}");
}

#[test]
fn regions_of_one_pixel_hold_no_more_than_others() {
    let map = AnnotatedMap::new(&[0.0; 3], &[true, false, true], 1, 3);
    assert_eq!(
        accumulate(&[map], Connectivity::Four).held_bytes(),
        8 + 4 + 8
    );
}
