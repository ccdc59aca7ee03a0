//! Wrong input gets an error that says where, never a figure and never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ckaad_metrics::{
    AnnotatedMap, BinnedPixelAccumulator, Bootstrap, Class, Confusion, Connectivity, MetricError,
    PixelAccumulator, PixelRanking, ThresholdRule, aupro, aupro_binned, auroc, auroc_delong,
    average_precision, delong_test, oracle_f1_max, oracle_sensitivity_at_specificity,
    partial_auroc, pixel_auroc, precision_recall_curve, pro_per_image, roc_curve,
};

type Metric = fn(&[f32], &[bool]) -> Result<(), MetricError>;

/// Every function of labelled scores that compares two classes.
const TWO_CLASSES: &[(&str, Metric)] = &[
    ("auroc", |s, l| auroc(s, l).map(drop)),
    ("average_precision", |s, l| {
        average_precision(s, l).map(drop)
    }),
    ("oracle_f1_max", |s, l| oracle_f1_max(s, l).map(drop)),
    ("partial_auroc", |s, l| partial_auroc(s, l, 0.3).map(drop)),
    ("roc_curve", |s, l| roc_curve(s, l).map(drop)),
    ("precision_recall_curve", |s, l| {
        precision_recall_curve(s, l).map(drop)
    }),
    ("oracle_sensitivity_at_specificity", |s, l| {
        oracle_sensitivity_at_specificity(s, l, 0.9).map(drop)
    }),
    ("auroc_delong", |s, l| auroc_delong(s, l, 0.95).map(drop)),
    ("delong_test", |s, l| delong_test(s, s, l).map(drop)),
    ("MaxF1", |s, l| ThresholdRule::MaxF1.fit(s, l).map(drop)),
    ("Youden", |s, l| ThresholdRule::Youden.fit(s, l).map(drop)),
    ("bootstrap", |s, l| {
        Bootstrap {
            resamples: 9,
            confidence: 0.9,
            seed: 1,
        }
        .interval(s, l, auroc)
        .map(drop)
    }),
];

#[test]
fn labelled_scores() {
    for (name, metric) in TWO_CLASSES {
        assert_eq!(metric(&[], &[]), Err(MetricError::Empty), "{name}");
        let lengths = MetricError::LengthMismatch {
            scores: 2,
            labels: 3,
        };
        assert_eq!(
            metric(&[0.1, 0.2], &[true, false, true]),
            Err(lengths),
            "{name}"
        );
        let single = |present| Err(MetricError::SingleClass { present, count: 3 });
        assert_eq!(
            metric(&[0.1, 0.2, 0.3], &[false; 3]),
            single(Class::Normal),
            "{name}"
        );
        assert_eq!(
            metric(&[0.1, 0.2, 0.3], &[true; 3]),
            single(Class::Anomalous),
            "{name}"
        );
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let found = metric(&[0.1, 0.2, bad, bad], &[true, false, true, false]);
            let Err(MetricError::NonFiniteScore { index: 2, value }) = found else {
                panic!("{name}: {found:?}")
            };
            assert_eq!(value.to_bits(), f64::from(bad).to_bits(), "{name}");
        }
    }
}

#[test]
fn rates_that_need_a_class() {
    let at = Confusion::at_threshold(&[0.1_f64, 0.9], &[false; 2], 0.5).unwrap();
    assert_eq!((at.accuracy(), at.specificity()), (0.5, Ok(0.5)));
    let missing = MetricError::ClassMissing {
        missing: Class::Anomalous,
        count: 2,
    };
    assert_eq!(at.sensitivity(), Err(missing.clone()));
    assert_eq!(at.f1(), Err(missing));
    let at = Confusion::at_threshold(&[0.1_f64, 0.9], &[true; 2], 0.5).unwrap();
    assert_eq!(
        at.specificity(),
        Err(MetricError::ClassMissing {
            missing: Class::Normal,
            count: 2
        })
    );
}

#[test]
fn parameters() {
    let (scores, labels) = ([0.1_f64, 0.9, 0.4, 0.6], [false, true, false, true]);
    let invalid = |found: Result<(), MetricError>, expected: &str| {
        let Err(MetricError::InvalidParameter { name, .. }) = found else {
            panic!("{expected}: {found:?}")
        };
        assert_eq!(name, expected);
    };
    for bad in [0.0, -0.1, 1.1, f64::NAN] {
        invalid(partial_auroc(&scores, &labels, bad).map(drop), "max_fpr");
        invalid(
            ThresholdRule::TargetSensitivity(bad)
                .fit(&scores, &labels)
                .map(drop),
            "target sensitivity",
        );
        invalid(
            aupro(&[], bad, Connectivity::Eight).map(drop),
            "AUPRO limit",
        );
        invalid(auroc_delong(&scores, &labels, bad).map(drop), "confidence");
    }
    invalid(
        ThresholdRule::TargetFpr(1.0)
            .fit(&scores, &labels)
            .map(drop),
        "target FPR",
    );
    invalid(
        Confusion::at_threshold(&scores, &labels, f64::NAN).map(drop),
        "threshold",
    );
    invalid(
        BinnedPixelAccumulator::new(0.5, 0.5, 10, Connectivity::Eight).map(drop),
        "highest score",
    );
    invalid(
        BinnedPixelAccumulator::new(0.0, 1.0, usize::MAX, Connectivity::Eight).map(drop),
        "number of bins",
    );
    let options = Bootstrap {
        resamples: 1,
        confidence: 0.9,
        seed: 1,
    };
    invalid(
        options.interval(&scores, &labels, auroc).map(drop),
        "number of resamples",
    );
}

#[test]
fn intervals_without_variance() {
    let (scores, labels) = ([0.1_f64, 0.9, 0.4, 0.6], [false, true, false, true]);
    assert!(matches!(
        auroc_delong(&scores, &labels, 0.95),
        Err(MetricError::ZeroVariance { .. })
    ));
    assert!(matches!(
        delong_test(&scores, &scores, &labels),
        Err(MetricError::ZeroVariance { .. })
    ));
    let few = auroc_delong(&scores[..3], &labels[..3], 0.95);
    assert_eq!(
        few,
        Err(MetricError::TooFew {
            class: Class::Anomalous,
            found: 1,
            needed: 2
        })
    );
}

#[test]
fn maps() {
    let (good, mask) = (
        [0.1_f32, 0.2, 0.3, 0.4, 0.5, 0.6],
        [false, true, false, false, true, true],
    );
    let first = AnnotatedMap::new(&good, &mask, 2, 3);
    let figure = |maps: &[AnnotatedMap<'_>]| {
        let found = pixel_auroc(maps).map(drop);
        assert_eq!(aupro(maps, 0.3, Connectivity::Eight).map(drop), found);
        assert_eq!(
            aupro_binned(maps, 0.3, Connectivity::Eight, 10).map(drop),
            found
        );
        found
    };
    assert_eq!(figure(&[]), Err(MetricError::Empty));
    let shape = AnnotatedMap::new(&good, &mask, 3, 3);
    assert_eq!(
        figure(&[first, shape]),
        Err(MetricError::MapShape {
            image: 1,
            height: 3,
            width: 3,
            scores: 6
        })
    );
    let short = AnnotatedMap::new(&good, &mask[..5], 2, 3);
    assert_eq!(
        figure(&[first, first, short]),
        Err(MetricError::MaskShape {
            image: 2,
            height: 2,
            width: 3,
            mask: 5
        })
    );
    let normal = AnnotatedMap::normal(&good, 2, 3);
    let unmarked = AnnotatedMap::new(&good, &[false; 6], 2, 3);
    assert_eq!(
        figure(&[normal, unmarked]),
        Err(MetricError::NoAnomalousPixel { images: 2 })
    );
    assert_eq!(
        pro_per_image(&[normal, unmarked], Connectivity::Eight),
        Err(MetricError::NoAnomalousPixel { images: 2 })
    );
    let full = AnnotatedMap::new(&good, &[true; 6], 2, 3);
    assert_eq!(
        figure(&[full]),
        Err(MetricError::SingleClass {
            present: Class::Anomalous,
            count: 6
        })
    );
    assert!(matches!(
        pro_per_image(&[normal, full], Connectivity::Eight),
        Err(MetricError::UndefinedPro { image: 1, .. })
    ));
    let flat = AnnotatedMap::new(&[0.5; 6], &mask, 2, 3);
    assert!(matches!(
        pro_per_image(&[flat], Connectivity::Eight),
        Err(MetricError::UndefinedPro { image: 0, .. })
    ));
    assert_eq!(
        figure(&[AnnotatedMap::normal(&[], 0, 3)]),
        Err(MetricError::Empty)
    );
}

#[test]
fn a_bad_pixel_is_named_and_nothing_is_taken_in() {
    let (good, mask) = (
        [0.1_f32, 0.2, 0.3, 0.4, 0.5, 0.6],
        [false, true, false, false, true, true],
    );
    let mut bad = good;
    bad[5] = f32::INFINITY;
    let expected = MetricError::NonFinitePixel {
        image: 1,
        row: 1,
        column: 2,
        value: f32::INFINITY,
    };
    let maps = [
        AnnotatedMap::new(&good, &mask, 2, 3),
        AnnotatedMap::new(&bad, &mask, 2, 3),
    ];
    assert_eq!(pixel_auroc(&maps), Err(expected.clone()));
    let normal = AnnotatedMap::normal(&good, 2, 3);
    let pro = pro_per_image(&[normal, maps[1]], Connectivity::Eight);
    assert_eq!(pro, Err(expected.clone()));
    let mut set = PixelAccumulator::new(Connectivity::Eight);
    set.push(&maps[0]).unwrap();
    let held = set.held_bytes();
    assert_eq!(set.push(&maps[1]), Err(expected));
    assert_eq!((set.images(), set.held_bytes()), (1, held));
    let one = PixelRanking::of(&maps[..1], Connectivity::Eight).unwrap();
    assert_eq!(set.finish().unwrap().auroc(), one.auroc());
}

#[test]
fn accumulators_that_differ_do_not_merge() {
    let mut set = PixelAccumulator::new(Connectivity::Eight);
    let refused = |what| Err(MetricError::Unmergeable { what });
    assert_eq!(
        set.merge(PixelAccumulator::new(Connectivity::Four)),
        refused("connectivity")
    );
    let binned =
        |high, bins| BinnedPixelAccumulator::new(0.0, high, bins, Connectivity::Eight).unwrap();
    assert_eq!(binned(1.0, 8).merge(&binned(2.0, 8)), refused("range"));
    assert_eq!(
        binned(1.0, 8).merge(&binned(1.0, 9)),
        refused("number of bins")
    );
}
