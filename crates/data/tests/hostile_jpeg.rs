//! JPEG files that should not be there: each a clear error that names the file, none a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use ckaad_data::*;

#[path = "support/refusal.rs"]
mod support;
use support::{load, refusal};

fn golden_jpeg(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/golden/jpeg")
            .join(name),
    )
    .unwrap()
}

#[test]
fn nine_hundred_million_pixels_are_refused_by_the_header() {
    let dir = tempfile::tempdir().unwrap();
    let mut jpeg = golden_jpeg("sequential-420.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    let huge = dir.path().join("huge.jpg");
    fs::write(&huge, jpeg).unwrap();
    assert!(matches!(
        load(&huge),
        Err(DataError::TooLarge {
            width: 30_000,
            height: 30_000,
            ..
        })
    ));
}

#[test]
fn truncated_files_are_errors_at_every_tenth() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "sequential-420.jpg",
        "progressive-422.jpg",
        "grey.jpg",
        "restarts-420.jpg",
        "cmyk.jpg",
    ] {
        let whole = golden_jpeg(name);
        let path = dir.path().join(name);
        for tenth in 0..10 {
            fs::write(&path, &whole[..whole.len() * tenth / 10]).unwrap();
            refusal(&path);
        }
        fs::write(&path, &whole).unwrap();
        load(&path).unwrap();
    }
}

#[test]
fn a_progressive_file_cut_between_two_scans_is_truncated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.jpg");
    let whole = golden_jpeg("progressive-420.jpg");
    let scans = (0..whole.len() - 1).filter(|&at| whole[at..at + 2] == [0xFF, 0xDA]);
    for scan in scans.collect::<Vec<_>>().into_iter().skip(1) {
        fs::write(&path, &whole[..scan]).unwrap();
        assert!(refusal(&path).contains("the file is truncated"));
    }
}

#[test]
fn kinds_of_jpeg_files_that_are_not_decoded_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kind.jpg");
    let whole = golden_jpeg("sequential-420.jpg");
    let frame = whole
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    for (marker, bits, kind) in [
        (0xC9, 8, "arithmetic"),
        (0xC3, 8, "lossless"),
        (0xC1, 12, "12 bits"),
    ] {
        let mut jpeg = whole.clone();
        jpeg[frame + 1] = marker;
        jpeg[frame + 4] = bits;
        fs::write(&path, jpeg).unwrap();
        assert!(
            matches!(load(&path), Err(DataError::Unsupported { .. })),
            "{:?}",
            load(&path)
        );
        assert!(refusal(&path).contains(kind));
    }
}

#[test]
fn components_of_any_sampling_return() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sampling.jpg");
    for name in ["cmyk.jpg", "ycck.jpg", "sequential-444.jpg"] {
        let whole = golden_jpeg(name);
        let frame = whole
            .windows(2)
            .position(|pair| pair == [0xFF, 0xC0])
            .unwrap();
        for component in 0..usize::from(whole[frame + 9]) {
            for sampling in [0x12, 0x21, 0x22, 0x41, 0x14, 0x31, 0x13, 0x00, 0xFF] {
                let mut jpeg = whole.clone();
                jpeg[frame + 11 + 3 * component] = sampling;
                fs::write(&path, jpeg).unwrap();
                // The data no longer fit the header: an error in most cases, never a panic.
                let _ = load(&path);
            }
        }
    }
}

#[test]
fn an_odd_band_in_a_sequential_scan_header_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.jpg");
    let mut jpeg = golden_jpeg("sequential-420.jpg");
    fs::write(&path, &jpeg).unwrap();
    let plain = load(&path).unwrap();
    let scan = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    // First and last coefficient, after the length, the count and three components.
    jpeg[scan + 11..scan + 13].copy_from_slice(&[46, 1]);
    fs::write(&path, &jpeg).unwrap();
    assert_eq!(load(&path).unwrap(), plain);
}
