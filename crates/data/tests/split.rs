//! The lists of a run's images: written, read back, and checked for images in two of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use ckaad_data::*;

#[test]
fn splits_are_written_read_back_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("split.json");
    let samples = |class: &str, label, count| -> Vec<Sample> {
        let path = |n| PathBuf::from(format!("{class}/{n:05}.png"));
        (0..count)
            .map(|n| Sample::new(path(n), label, class))
            .collect()
    };
    let split = Split {
        normal: samples("normal", Label::Normal, 38),
        labelled: samples("a", Label::Anomalous, 4),
        validation: samples("validation", Label::Normal, 2),
        calibration: Vec::new(),
        test: samples("test", Label::Normal, 5),
        textures: Vec::new(),
        reading: Default::default(),
        mask_rule: MaskRule::NonZero,
        mask_resize: MaskResize::Exact,
        labelled_wanted: 4,
        excluded: 0,
        account: Default::default(),
    };
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
