//! Every layout on a synthetic stand-in, as copies in the wild look like, and tampered with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use ckaad_data::datasets::{self, CheckReport};
use ckaad_data::*;
use tempfile::TempDir;

const SIZE: StandIn = StandIn {
    side: 32,
    train: 5,
    test: 2,
};

fn stand_in(layout: Layout) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    synth_layout(layout, &["candle", "tile"], dir.path(), 11, SIZE).unwrap();
    assert!(dir.path().join("SYNTHETIC.txt").is_file());
    dir
}

/// (normal, anomalous) samples.
fn counts(samples: &[Sample]) -> (usize, usize) {
    let normal = samples
        .iter()
        .filter(|sample| sample.label == Label::Normal)
        .count();
    (normal, samples.len() - normal)
}

fn open(layout: Layout, dir: &Path) -> Dataset {
    let category = match layout {
        Layout::MvtecAd => Some("tile"),
        Layout::Visa => Some("candle"),
        Layout::Cifar10 => Some("deer"),
        _ => None,
    };
    Dataset::open(layout, dir, category).unwrap()
}

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
                .filter(|sample| sample.mask.is_some())
                .count(),
            masks,
            "{layout}"
        );
        for sample in dataset.train.iter().chain(&dataset.test) {
            load_image(&sample.path, 16).unwrap();
            if let Some(mask) = &sample.mask {
                let mask = load_mask(mask, 32, layout.mask_rule()).unwrap();
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
            let mask = sample.mask.as_deref().map(relative);
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

/// A CIFAR-10 batch as python 2 pickled it: strings as bytes, the array by `_reconstruct` and its state.
fn pickled_batch(binary: &[u8]) -> Vec<u8> {
    let records: Vec<&[u8]> = binary.chunks_exact(3073).collect();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend([b'U', text.len() as u8]);
        out.extend(text.as_bytes());
        out.extend(b"q\x01");
    };
    let mut out = b"\x80\x02}q\x01(".to_vec();
    text(&mut out, "batch_label");
    text(&mut out, "training batch 1 of 5");
    text(&mut out, "labels");
    out.extend(b"]q\x05(");
    records
        .iter()
        .for_each(|record| out.extend([b'K', record[0]]));
    out.push(b'e');
    text(&mut out, "data");
    out.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09(K\x01");
    out.push(b'M');
    out.extend((records.len() as u16).to_le_bytes());
    out.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
    out.extend(((binary.len() - records.len()) as u32).to_le_bytes());
    records.iter().for_each(|record| out.extend(&record[1..]));
    out.extend(b"tb");
    text(&mut out, "filenames");
    out.extend(b"]q\x0c(U\x05a.pngeu.");
    out
}

#[test]
fn cifar_batches_of_both_kinds_and_folders_hold_the_same_images() {
    let binary = stand_in(Layout::Cifar10);
    let expected = open(Layout::Cifar10, binary.path());
    let python = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(binary.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if entry
            .extension()
            .is_some_and(|extension| extension == "bin")
        {
            fs::write(
                python.path().join(entry.file_stem().unwrap()),
                pickled_batch(&fs::read(&entry).unwrap()),
            )
            .unwrap();
        }
    }
    let pickled = open(Layout::Cifar10, python.path());
    assert_eq!(counts(&pickled.train), counts(&expected.train));
    for (a, b) in expected
        .train
        .iter()
        .chain(&expected.test)
        .zip(pickled.train.iter().chain(&pickled.test))
    {
        assert_eq!((a.label, &a.class), (b.label, &b.class));
        assert_eq!(
            load_picture(&a.path).unwrap(),
            load_picture(&b.path).unwrap(),
            "{} and {}",
            a.path,
            b.path
        );
    }
    let folders = tempfile::tempdir().unwrap();
    for (part, list) in [("train", &expected.train), ("test", &expected.test)] {
        for (number, sample) in list.iter().enumerate() {
            let folder = folders.path().join(part).join(&sample.class);
            fs::create_dir_all(&folder).unwrap();
            let picture = load_picture(&sample.path).unwrap();
            let color = image::ExtendedColorType::Rgb8;
            image::save_buffer(
                folder.join(format!("{number:04}.png")),
                &picture.pixels,
                32,
                32,
                color,
            )
            .unwrap();
        }
    }
    let unpacked = open(Layout::Cifar10, folders.path());
    assert_eq!(
        (counts(&unpacked.train), counts(&unpacked.test)),
        (counts(&expected.train), counts(&expected.test))
    );
    let truncated = fs::read(python.path().join("test_batch")).unwrap();
    fs::write(
        python.path().join("test_batch"),
        &truncated[..truncated.len() / 2],
    )
    .unwrap();
    let error = Dataset::open(Layout::Cifar10, python.path(), Some("cat"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("test_batch") && error.contains("truncated"),
        "{error}"
    );
}

/// The report of a stand-in after `tamper`.
fn tampered(name: &str, tamper: impl FnOnce(&Path)) -> CheckReport {
    let dir = tempfile::tempdir().unwrap();
    datasets::synth(name, dir.path(), 4, SIZE).unwrap();
    tamper(dir.path());
    datasets::check(name, dir.path()).unwrap()
}

#[test]
fn checks_find_nothing_wrong_with_an_untouched_stand_in_but_its_counts() {
    for manifest in datasets::list().unwrap() {
        let report = tampered(&manifest.name, |_| ());
        assert!(report.synthetic && report.images() > 0, "{}", manifest.name);
        let lists = [
            &report.unreadable,
            &report.images_without_mask,
            &report.masks_without_image,
            &report.mask_sizes,
        ];
        assert!(
            lists.iter().all(|list| list.is_empty())
                && report.duplicates.is_empty()
                && report.repeated == 0,
            "{report}"
        );
        assert!(
            !report.is_clean(),
            "{} has far too few images",
            manifest.name
        );
        assert!(report.to_string().contains("SYNTHETIC"));
    }
}

#[test]
fn checks_name_what_was_tampered_with() {
    let found = |report: &CheckReport, part: &str, class: &str| -> usize {
        report
            .counts
            .iter()
            .filter(|c| c.part == part && c.class == class)
            .map(|c| c.found)
            .sum()
    };
    let report = tampered("oct2017", |dir| {
        fs::remove_file(dir.join("train/CNV/CNV-1000-1.jpeg")).unwrap()
    });
    assert_eq!(found(&report, "train", "CNV"), SIZE.train - 1);

    let report = tampered("chest-xray", |dir| {
        fs::copy(
            dir.join("train/NORMAL/IM-0000-0001.jpeg"),
            dir.join("test/NORMAL/other.jpeg"),
        )
        .unwrap();
        fs::write(dir.join("test/PNEUMONIA/person0_virus_0.jpeg"), "\u{0}").unwrap();
    });
    assert_eq!(report.duplicates.len(), 1);
    assert!(
        report.duplicates[0].train[0].ends_with("IM-0000-0001.jpeg")
            && report.duplicates[0].test[0].ends_with("other.jpeg")
    );
    assert!(
        report.unreadable.len() == 1 && report.unreadable[0].contains("person0_virus_0.jpeg"),
        "{report}"
    );
    assert!(!report.is_clean());

    let report = tampered("magnetic-tile", |dir| {
        let truth = dir.join("tile/ground_truth");
        fs::rename(
            truth.join("blob/000_mask.png"),
            truth.join("blob/900_mask.png"),
        )
        .unwrap();
        fs::copy(
            dir.join("tile/train/good/000.png"),
            truth.join("scratch/001_mask.png"),
        )
        .unwrap();
        fs::write(truth.join("scratch/000_mask.png"), "").unwrap();
    });
    assert!(
        report.images_without_mask.len() == 1
            && report.images_without_mask[0].ends_with("blob/000.png"),
        "{report}"
    );
    assert!(
        report.masks_without_image.len() == 1
            && report.masks_without_image[0].ends_with("900_mask.png"),
        "{report}"
    );
    assert!(
        report.unreadable.len() == 1 && report.unreadable[0].contains("scratch/000_mask.png"),
        "{report}"
    );

    let report = tampered("visa", |dir| {
        let small = tempfile::tempdir().unwrap();
        synth_layout(
            Layout::Visa,
            &["candle"],
            small.path(),
            4,
            StandIn { side: 16, ..SIZE },
        )
        .unwrap();
        let mask = "candle/Data/Masks/Anomaly/000.png";
        fs::copy(small.path().join(mask), dir.join(mask)).unwrap();
    });
    assert!(
        report.mask_sizes.len() == 1 && report.mask_sizes[0].contains("16 x 16"),
        "{report}"
    );

    let report = tampered("isic2018", |dir| {
        fs::remove_file(dir.join("ISIC2018_Task3_Training_Input/ISIC_0024003.jpg")).unwrap()
    });
    assert!(
        report.problems[0].contains("ISIC_0024003") && report.problems[0].contains("line 5"),
        "{report}"
    );

    let report = tampered("cifar10", |dir| {
        let batch = dir.join("data_batch_3.bin");
        let bytes = fs::read(&batch).unwrap();
        fs::write(batch, &bytes[..bytes.len() - 1]).unwrap();
    });
    assert!(report.problems[0].contains("data_batch_3.bin"), "{report}");

    let report = tampered("br35h", |dir| {
        fs::rename(dir.join("no"), dir.join("none")).unwrap()
    });
    assert!(
        report.problems[0].contains("folders yes and no"),
        "{report}"
    );
}

/// The folder `shared` beside the workspace, which holds real images.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("CKAAD_SHARED")
        .map_or(beside, PathBuf::from)
        .join("data");
    if !path.is_dir() {
        println!(
            "SKIPPED: {} is not there, so the real images are not checked",
            path.display()
        );
        return None;
    }
    Some(path)
}

#[test]
fn the_real_copies_are_counted_right() {
    let Some(shared) = shared() else { return };
    let report = datasets::check("chest-xray", &shared.join("ChestXRay2017")).unwrap();
    let found: Vec<usize> = report.counts.iter().map(|count| count.found).collect();
    assert_eq!(found, [1341, 3875, 234, 390]);
    assert_eq!(
        (report.missing(), report.surplus(), report.unreadable.len()),
        (16, 0, 0)
    );
    let report = datasets::check("magnetic-tile", &shared.join("magnetic_tile")).unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.images(), 761 + 583);
}
