//! Checks of benchmark copies: stand-ins, tampered stand-ins, and real images where they are at hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use ckaad_data::datasets::{self, CheckReport};
use ckaad_data::{Layout, StandIn, synth_layout};

const SIZE: StandIn = StandIn {
    side: 32,
    train: 5,
    test: 2,
};

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
    let path = std::env::var_os("CKAAD_SHARED").map_or(beside, PathBuf::from);
    if !path.is_dir() {
        println!(
            "SKIPPED: {} is not there, so the real images are not checked",
            path.display()
        );
        return None;
    }
    Some(path.join("data"))
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
