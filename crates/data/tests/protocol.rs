//! Counts, draws and refusals of the protocol.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

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
        labelled_ratio,
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
fn wrong_settings_are_typed_errors() {
    let data = dataset(50, &[("a", 30)], 1);
    let none = dataset(50, &[], 1);
    let error = protocol(0.05).split(&none).unwrap_err();
    assert!(
        matches!(error, DataError::NoAnomalous { .. })
            && error.to_string().contains("labelled_ratio 0.05"),
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
        Err(DataError::NoImages { .. })
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
    let apart = Protocol {
        group_by: false,
        ..protocol
    }
    .split(&data)
    .unwrap();
    assert_eq!(apart.excluded, 0);
}

#[test]
fn splits_are_written_read_back_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("split.json");
    let split = protocol(0.1).split(&dataset(40, &[("a", 40)], 5)).unwrap();
    split.write(&path).unwrap();
    assert_eq!(Split::read(&path).unwrap(), split);

    let mut leak = split.clone();
    leak.normal[0].path = leak.test[0].path.clone();
    leak.write(&path).unwrap();
    let error = Split::read(&path).unwrap_err();
    assert!(
        matches!(
            error,
            DataError::Leak {
                first: "test",
                second: "training",
                ..
            }
        ) && error.to_string().contains("test/00000.png"),
        "{error}"
    );

    let mut wrong = split.clone();
    wrong.normal[1].label = Label::Anomalous;
    wrong.write(&path).unwrap();
    assert!(
        Split::read(&path)
            .unwrap_err()
            .to_string()
            .contains("normal/")
    );
    let empty = Split {
        normal: Vec::new(),
        ..split
    };
    empty.write(&path).unwrap();
    assert!(
        Split::read(&path)
            .unwrap_err()
            .to_string()
            .contains("\"normal\" of the split is empty")
    );
    for text in [
        "",
        "[]",
        "{\"normal\": 1}",
        "{\"normal\":[],\"labelled\":[],\"validation\":[],\"test\":[],\"extra\":1}",
    ] {
        std::fs::write(&path, text).unwrap();
        assert!(
            matches!(Split::read(&path), Err(DataError::Parse { .. })),
            "{text}"
        );
    }
}

#[test]
fn a_test_image_in_training_is_refused_even_through_a_link() {
    let dir = tempfile::tempdir().unwrap();
    synth_layout(
        Layout::Folder,
        &[],
        dir.path(),
        1,
        StandIn {
            side: 32,
            train: 3,
            test: 1,
        },
    )
    .unwrap();
    let source = |test: &str| FolderSource {
        normal: dir.path().join("normal"),
        test: Some(dir.path().join(test)),
        ..FolderSource::default()
    };
    let clean = Dataset::from_folders(&source("test")).unwrap();
    Protocol::default().split(&clean).unwrap();
    link(&dir.path().join("normal"), &dir.path().join("exam"));
    let leaky = Dataset::from_folders(&source("exam")).unwrap();
    assert!(matches!(
        Protocol::default().split(&leaky),
        Err(DataError::Leak { .. })
    ));
}

/// A folder `exam/normal` whose image 0 is a link to the training image 0.
fn link(normal: &Path, exam: &Path) {
    std::fs::create_dir_all(exam.join("normal")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(normal.join("0.png"), exam.join("normal/linked.png")).unwrap();
    #[cfg(not(unix))]
    std::fs::hard_link(normal.join("0.png"), exam.join("normal/linked.png")).unwrap();
}

#[test]
fn a_data_set_with_its_own_validation_part_keeps_it() {
    let dir = tempfile::tempdir().unwrap();
    synth_layout(
        Layout::Manifest,
        &[],
        dir.path(),
        1,
        StandIn {
            side: 32,
            train: 6,
            test: 2,
        },
    )
    .unwrap();
    let data = Dataset::open(Layout::Manifest, dir.path(), None).unwrap();
    let split = protocol(0.25).split(&data).unwrap();
    assert_eq!(split.validation, data.validation);
    assert_eq!((split.normal.len(), split.labelled.len()), (6, 2));
}
