//! Every layout on a synthetic stand-in, as copies in the wild look like, and tampered with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use ckaad_data::*;

mod support;
use support::{counts, open, stand_in};

#[test]
fn every_layout_reads_its_stand_in_and_every_picture_loads() {
    for (layout, train, test, masks) in [
        (Layout::Folder, (5, 5), (2, 2), 2),
        (Layout::ChestXRay2017, (5, 5), (2, 2), 0),
        (Layout::Br35h, (4, 4), (2, 2), 0),
        (Layout::Isic2018, (5, 30), (2, 12), 0),
        (Layout::Oct2017, (5, 15), (2, 6), 0),
        (Layout::MvtecAd, (5, 0), (2, 4), 4),
        (Layout::Visa, (5, 0), (2, 2), 2),
        (Layout::Cifar10, (5, 45), (2, 18), 0),
        (Layout::Manifest, (5, 5), (2, 2), 2),
    ] {
        let dir = stand_in(layout);
        let dataset = open(layout, dir.path());
        assert_eq!(
            (counts(&dataset.train), counts(&dataset.test)),
            (train, test),
            "{layout}"
        );
        assert_eq!(
            dataset
                .test
                .iter()
                .filter(|sample| !sample.masks.is_empty())
                .count(),
            masks,
            "{layout}"
        );
        for sample in dataset.train.iter().chain(&dataset.test) {
            load_image(&sample.path, 16).unwrap();
            if !sample.masks.is_empty() {
                let (rule, how) = (layout.mask_rule(), layout.mask_resize());
                let mask = load_mask(&sample.masks, 32, rule, how, Orientation::Ignore).unwrap();
                assert!(
                    mask.pixels.contains(&true) && mask.pixels.contains(&false),
                    "{layout}: {}",
                    sample.path
                );
            }
        }
        assert_eq!(layout.to_string().parse::<Layout>().unwrap(), layout);
    }
}

#[test]
fn archives_wrap_data_sets_in_extra_folders() {
    for layout in Layout::ALL
        .into_iter()
        .filter(|layout| !matches!(layout, Layout::Folder | Layout::Manifest))
    {
        let dir = stand_in(layout);
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("archive/copy of data");
        fs::create_dir_all(&inner).unwrap();
        fs::rename(dir.path(), inner.join("set")).unwrap();
        fs::create_dir_all(outer.path().join("__MACOSX/set")).unwrap();
        fs::write(outer.path().join("readme.txt"), "stray").unwrap();
        let (wrapped, plain) = (open(layout, outer.path()), open(layout, &inner.join("set")));
        assert_eq!(wrapped, plain, "{layout}");
    }
}

#[test]
fn case_of_folders_and_stray_files_do_not_matter() {
    let dir = stand_in(Layout::ChestXRay2017);
    let before = open(Layout::ChestXRay2017, dir.path());
    let normal = dir.path().join("train/NORMAL");
    for stray in [".DS_Store", "._IM-0000-0001.jpeg", "Thumbs.db", "notes.txt"] {
        fs::write(normal.join(stray), "stray").unwrap();
    }
    fs::rename(
        normal.join("IM-0001-0001.jpeg"),
        normal.join("IM-0001-0001.JPEG"),
    )
    .unwrap();
    fs::rename(&normal, dir.path().join("train/Normal")).unwrap();
    fs::rename(dir.path().join("test"), dir.path().join("TEST")).unwrap();
    let after = open(Layout::ChestXRay2017, dir.path());
    assert_eq!(
        (counts(&after.train), counts(&after.test)),
        (counts(&before.train), counts(&before.test))
    );
}

#[test]
fn br35h_splits_in_bytewise_order() {
    let dir = stand_in(Layout::Br35h);
    let dataset = open(Layout::Br35h, dir.path());
    let names = |samples: &[Sample]| -> Vec<String> {
        samples
            .iter()
            .filter(|s| s.class == "no")
            .map(|s| {
                s.path
                    .file()
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    // Capitals sort before small letters: not the order of the numbers, nor that of most file managers.
    assert_eq!(
        names(&dataset.train),
        ["NO1.JPG", "NO3.JPG", "NO5.JPG", "no0.jpg"]
    );
    assert_eq!(names(&dataset.test), ["no2.jpg", "no4.jpg"]);
}

#[test]
fn isic_lesions_and_oct_patients_are_groups() {
    for layout in [
        Layout::Isic2018,
        Layout::Oct2017,
        Layout::ChestXRay2017,
        Layout::Manifest,
    ] {
        let dir = stand_in(layout);
        assert!(
            open(layout, dir.path())
                .train
                .iter()
                .all(|sample| sample.group.is_some()),
            "{layout}"
        );
    }
}

#[test]
fn categories_are_listed_when_unknown_or_missing() {
    let dir = stand_in(Layout::MvtecAd);
    assert_eq!(
        Layout::MvtecAd.categories(dir.path()).unwrap(),
        ["candle", "tile"]
    );
    let error = Dataset::open(Layout::MvtecAd, dir.path(), Some("cable"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cable") && error.contains("candle, tile"),
        "{error}"
    );
    assert!(
        Dataset::open(Layout::MvtecAd, dir.path(), None)
            .unwrap_err()
            .to_string()
            .contains("several categories")
    );
    let category = Dataset::open(Layout::MvtecAd, &dir.path().join("tile"), None).unwrap();
    assert_eq!(category.name, "mvtec-ad/tile");
    let xray = stand_in(Layout::ChestXRay2017);
    assert!(
        Dataset::open(Layout::ChestXRay2017, xray.path(), Some("x"))
            .unwrap_err()
            .to_string()
            .contains("no categories")
    );
}

#[test]
fn folders_anywhere_make_a_data_set() {
    let dir = stand_in(Layout::Folder);
    let at = |name: &str| dir.path().join(name);
    let whole = FolderSource {
        normal: at("normal"),
        anomalous: Some(at("anomalous")),
        test: Some(at("test")),
        masks: Some(at("masks")),
        normal_class: None,
    };
    let dataset = Dataset::from_folders(&whole).unwrap();
    assert_eq!(dataset, open(Layout::Folder, dir.path()));
    assert!(dataset.train.iter().any(|sample| sample.class == "blob"));
    let normal_only = Dataset::from_folders(&FolderSource {
        normal: at("normal"),
        ..FolderSource::default()
    })
    .unwrap();
    assert_eq!((normal_only.train.len(), normal_only.test.len()), (5, 0));

    fs::create_dir(at("empty")).unwrap();
    for (source, name) in [
        (
            FolderSource {
                normal: at("empty"),
                ..FolderSource::default()
            },
            "empty",
        ),
        (
            FolderSource {
                normal: at("absent"),
                ..FolderSource::default()
            },
            "absent",
        ),
        (
            FolderSource {
                anomalous: Some(at("empty")),
                ..whole.clone()
            },
            "empty",
        ),
        (
            FolderSource {
                test: Some(at("empty")),
                ..whole.clone()
            },
            "empty",
        ),
        (
            FolderSource {
                test: Some(at("normal")),
                ..whole.clone()
            },
            "one sub-folder per class",
        ),
    ] {
        let error = Dataset::from_folders(&source).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    let error = Dataset::from_folders(&FolderSource {
        normal: at("empty"),
        ..FolderSource::default()
    })
    .unwrap_err();
    assert!(matches!(error, DataError::NoImages { .. }), "{error}");
}

#[test]
fn a_manifest_can_be_json_lines() {
    let dir = stand_in(Layout::Manifest);
    let csv = open(Layout::Manifest, dir.path());
    let mut lines = String::new();
    for (split, list) in [
        ("train", &csv.train),
        ("validation", &csv.validation),
        ("test", &csv.test),
    ] {
        for sample in list {
            let relative = |path: &Path| {
                path.strip_prefix(dir.path())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            };
            let mask = sample.masks.first().map(|path| relative(path));
            let line = serde_json::json!({ "path": relative(sample.path.file()), "label": sample.label, "split": split,
                "class": sample.class, "mask": mask, "group": sample.group });
            lines += &format!("{line}\n");
        }
    }
    let path = dir.path().join("other.jsonl");
    fs::write(&path, &lines).unwrap();
    assert_eq!(Dataset::open(Layout::Manifest, &path, None).unwrap(), csv);

    for (text, expected) in [
        ("path,label\na.png,normal\n", "column \"split\" is missing"),
        (
            "path,label,split\nnowhere.png,normal,train\n",
            "line 2: nowhere.png does not exist",
        ),
        (
            "path,label,split\na.png,odd,train\n",
            "line 2: label \"odd\"",
        ),
        (
            "path,label,split\na.png,normal,exam\n",
            "line 2: split \"exam\"",
        ),
    ] {
        fs::write(dir.path().join("bad.csv"), text).unwrap();
        let error = Dataset::open(Layout::Manifest, &dir.path().join("bad.csv"), None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("bad.csv") && error.contains(expected),
            "{error}"
        );
    }
}
