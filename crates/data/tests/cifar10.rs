//! CIFAR-10 in the forms that it is distributed in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use ckaad_data::*;

mod support;
use support::{counts, open, stand_in};

#[test]
fn batches_and_folders_hold_the_same_images() {
    let binary = stand_in(Layout::Cifar10);
    let expected = open(Layout::Cifar10, binary.path());
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
}

#[test]
fn a_truncated_batch_and_the_python_version_are_refused() {
    let binary = stand_in(Layout::Cifar10);
    let refusal = || {
        Dataset::open(Layout::Cifar10, binary.path(), Some("cat"))
            .unwrap_err()
            .to_string()
    };
    let batch = binary.path().join("test_batch.bin");
    let whole = fs::read(&batch).unwrap();
    fs::write(&batch, &whole[..whole.len() / 2 - 1]).unwrap();
    let error = refusal();
    assert!(
        error.contains("test_batch.bin") && error.contains("truncated"),
        "{error}"
    );
    fs::rename(&batch, binary.path().join("test_batch")).unwrap();
    let error = refusal();
    assert!(error.contains("download the binary version"), "{error}");
}
