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
