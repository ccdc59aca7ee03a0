//! Counts, draws and refusals of the protocol.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::path::PathBuf;

use ckaad_data::*;

fn samples(class: &str, label: Label, count: usize) -> Vec<Sample> {
    (0..count)
        .map(|n| Sample {
            group: Some(format!("{class}{}", n / 3)),
            ..Sample::new(PathBuf::from(format!("{class}/{n:05}.png")), label, class)
        })
        .collect()
}

/// A data set of given sizes, without files.
fn dataset(normal: usize, pools: &[(&str, usize)], test: usize) -> Dataset {
    let mut train = samples("normal", Label::Normal, normal);
    for (class, count) in pools {
        train.extend(samples(class, Label::Anomalous, *count));
    }
    let json = serde_json::json!({ "name": "made", "layout": "folder", "train": train, "test": samples("test", Label::Normal, test) });
    serde_json::from_value(json).unwrap()
}

fn protocol(labelled_ratio: f64) -> Protocol {
    Protocol {
        labelled: Labelled::Ratio(labelled_ratio),
        seed: 111,
        ..Protocol::default()
    }
}

#[test]
fn counts_are_those_of_the_benchmarks() {
    // (normal, anomalous, ratio) -> (normal left, labelled, validation per kind), by the two formulas.
    for (normal, anomalous, ratio, left, labelled, validation) in [
        (1341, 3875, 0.05, 1273, 67, 68),
        (1349, 3883, 0.01, 1281, 13, 68),
        (6705, 3310, 0.20, 6539, 1635, 166),
        (1200, 1200, 0.05, 1139, 60, 61),
        (26315, 57169, 0.0, 24999, 0, 1316),
        (10, 10, 0.25, 9, 3, 1),
    ] {
        let split = protocol(ratio)
            .split(&dataset(normal, &[("a", anomalous)], 3))
            .unwrap();
        assert_eq!(
            (
                split.normal.len(),
                split.labelled.len(),
                split.validation.len()
            ),
            (left, labelled, 2 * validation)
        );
        assert_eq!(
            split
                .validation
                .iter()
                .filter(|sample| sample.label == Label::Normal)
                .count(),
            validation
        );
        assert_eq!(
            (split.labelled_wanted, split.excluded, split.test.len()),
            (labelled, 0, 3)
        );
    }
}

#[test]
fn no_image_is_used_twice_and_seeds_differ() {
    let data = dataset(100, &[("a", 60), ("b", 60)], 10);
    let split = protocol(0.2).split(&data).unwrap();
    let all: Vec<&Source> = [
        &split.normal,
        &split.labelled,
        &split.validation,
        &split.test,
    ]
    .into_iter()
    .flatten()
    .map(|s| &s.path)
    .collect();
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    assert_eq!(split, protocol(0.2).split(&data).unwrap());
    assert_ne!(
        split,
        Protocol {
            seed: 222,
            ..protocol(0.2)
        }
        .split(&data)
        .unwrap()
    );
    let smaller = protocol(0.1).split(&data).unwrap();
    assert!(
        smaller.labelled.len() < split.labelled.len()
            && smaller
                .labelled
                .iter()
                .all(|sample| split.labelled.contains(sample))
    );
}

#[test]
fn labelled_images_come_from_the_classes_asked_for() {
    let data = dataset(200, &[("a", 60), ("b", 60), ("c", 60), ("d", 4)], 1);
    let classes = |labelled_classes: LabelledClasses, seed: u64| -> HashSet<String> {
        let split = Protocol {
            labelled_classes,
            seed,
            ..protocol(0.1)
        }
        .split(&data)
        .unwrap();
        split
            .labelled
            .into_iter()
            .map(|sample| sample.class)
            .collect()
    };
    assert_eq!(
        classes(LabelledClasses::Named(vec!["b".into()]), 1),
        HashSet::from(["b".into()])
    );
    assert_eq!(classes(LabelledClasses::Random(2), 1).len(), 2);
    let draws: HashSet<Vec<String>> = (0..20)
        .map(|seed| {
            let mut names: Vec<_> = classes(LabelledClasses::Random(1), seed)
                .into_iter()
                .collect();
            names.sort();
            names
        })
        .collect();
    assert!(draws.len() > 1, "the seed decides which class is drawn");
    // A class with fewer images than asked for gives all it has, and says so.
    let few = Protocol {
        labelled_classes: LabelledClasses::Named(vec!["d".into()]),
        ..protocol(0.2)
    }
    .split(&data)
    .unwrap();
    assert!(few.labelled.len() <= 4 && few.labelled_wanted > 4);
}

#[test]
fn all_labelled_images_are_those_that_validation_leaves() {
    let all = Protocol {
        labelled: Labelled::All,
        ..protocol(0.0)
    };
    let data = dataset(40, &[("a", 25), ("b", 20)], 3);
    let split = all.split(&data).unwrap();
    let of = |samples: &[Sample]| samples.iter().filter(|s| s.label.is_anomalous()).count();
    assert_eq!(of(&split.validation), 3);
    assert_eq!((split.labelled.len(), split.labelled_wanted), (42, 42));
    let one_class = Protocol {
        labelled_classes: LabelledClasses::Named(vec!["b".into()]),
        ..all.clone()
    };
    let of_class = one_class.split(&data).unwrap().labelled;
    let expected: Vec<&Sample> = split.labelled.iter().filter(|s| s.class == "b").collect();
    assert_eq!(of_class.iter().collect::<Vec<_>>(), expected);
    // None is no error where none was counted on.
    assert!(all.split(&dataset(40, &[], 3)).unwrap().labelled.is_empty());
}

#[test]
fn wrong_settings_are_typed_errors() {
    let data = dataset(50, &[("a", 30)], 1);
    let none = dataset(50, &[], 1);
    let error = protocol(0.05).split(&none).unwrap_err();
    assert!(
        matches!(error, DataError::NoAnomalous { .. })
            && error.to_string().contains("labelled_ratio to 0"),
        "{error}"
    );
    for ratio in [-0.1, 1.0, f64::NAN] {
        assert!(matches!(
            protocol(ratio).split(&data),
            Err(DataError::Parameter {
                name: "labelled_ratio",
                ..
            })
        ));
    }
    for (labelled_classes, expected) in [
        (
            LabelledClasses::Named(vec!["x".into()]),
            "\"x\"; choose one of: a",
        ),
        (LabelledClasses::Named(vec![]), "empty"),
        (LabelledClasses::Random(2), "between 1 and 1"),
        (LabelledClasses::Random(0), "between 1 and 1"),
    ] {
        let error = Protocol {
            labelled_classes,
            ..protocol(0.1)
        }
        .split(&data)
        .unwrap_err()
        .to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(matches!(
        protocol(0.0).split(&dataset(1, &[("a", 1)], 0)),
        Err(DataError::TooFew { .. })
    ));
}

#[test]
fn industrial_data_keeps_all_normal_images_unless_asked() {
    let data = dataset(50, &[], 1);
    let split = protocol(0.0).split(&data).unwrap();
    assert_eq!(
        (
            split.normal.len(),
            split.labelled.len(),
            split.validation.len()
        ),
        (50, 0, 0)
    );
    let split = Protocol {
        validation: ValidationRule::NormalOnly,
        ..protocol(0.0)
    }
    .split(&data)
    .unwrap();
    assert_eq!((split.normal.len(), split.validation.len()), (47, 3));
    let split = Protocol {
        validation: ValidationRule::None,
        ..protocol(0.1)
    }
    .split(&dataset(50, &[("a", 30)], 1))
    .unwrap();
    assert!(split.validation.is_empty());
}

#[test]
fn groups_stay_together_on_request() {
    let mut data = dataset(90, &[("a", 90)], 3);
    data.test[0].group = Some("normal0".into());
    let protocol = Protocol {
        group_by: true,
        ..protocol(0.1)
    };
    let split = protocol.split(&data).unwrap();
    assert_eq!(
        split.excluded, 3,
        "the three images of the group that is tested"
    );
    let groups = |list: &[Sample]| -> HashSet<String> {
        list.iter()
            .filter_map(|sample| sample.group.clone())
            .collect()
    };
    let train = &groups(&split.normal) | &groups(&split.labelled);
    assert!(
        train.is_disjoint(&groups(&split.validation)) && train.is_disjoint(&groups(&split.test))
    );
    // The same patients in both classes: whoever validates does not train, whatever the class.
    let mut shared = dataset(90, &[("a", 90)], 0);
    for sample in &mut shared.train {
        sample.group = sample
            .group
            .as_ref()
            .map(|group| group.replace("normal", "").replace('a', ""));
    }
    let both = protocol.split(&shared).unwrap();
    let train = &groups(&both.normal) | &groups(&both.labelled);
    assert!(train.is_disjoint(&groups(&both.validation)) && both.excluded > 0);
    let apart = Protocol {
        group_by: false,
        ..protocol
    }
    .split(&data)
    .unwrap();
    assert_eq!(apart.excluded, 0);
}

#[test]
fn a_data_set_with_its_own_validation_part_keeps_it() {
    let mut data = dataset(6, &[("a", 6)], 2);
    data.validation = samples("validation", Label::Normal, 4);
    let split = protocol(0.25).split(&data).unwrap();
    assert_eq!(split.validation, data.validation);
    assert_eq!((split.normal.len(), split.labelled.len()), (6, 2));
}
