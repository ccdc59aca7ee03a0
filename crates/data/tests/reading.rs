//! What a file leaves open: which way up it is, and which of its pages is read. Expected values are those of Pillow 13.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use ckaad_data::*;
use image::codecs::{jpeg::JpegEncoder, webp::WebPEncoder};
use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat};

#[path = "support/files.rs"]
mod files;
use files::{TiffPage, animated_png, animated_webp, chunk, encoded, exif, tiff};

const APPLY: Reading = Reading {
    orientation: Orientation::Apply,
    ..Reading::PUBLISHED
};
/// `exif_transpose` of the rows 1 2 3 and 4 5 6, for orientations 1 to 8.
const TURNED: [[u8; 6]; 8] = [
    [1, 2, 3, 4, 5, 6],
    [3, 2, 1, 6, 5, 4],
    [6, 5, 4, 3, 2, 1],
    [4, 5, 6, 1, 2, 3],
    [1, 4, 2, 5, 3, 6],
    [4, 1, 5, 2, 6, 3],
    [6, 3, 5, 2, 4, 1],
    [3, 6, 2, 5, 1, 4],
];

fn read(path: &Path, reading: Reading) -> Result<Picture, DataError> {
    Loader::new(reading).load_picture(&path.into())
}

/// The red values.
fn reds(picture: &Picture) -> Vec<u8> {
    picture.pixels.iter().step_by(3).copied().collect()
}

fn rows() -> GrayImage {
    GrayImage::from_raw(3, 2, vec![1, 2, 3, 4, 5, 6]).unwrap()
}

/// The file `name`, read as stored and upright, must be the rows turned.
fn check_turned(folder: &Path, name: &str, bytes: &[u8], orientation: usize) {
    let path = folder.join(format!("{orientation}{name}"));
    fs::write(&path, bytes).unwrap();
    let stored = load_picture(&path.as_path().into()).unwrap();
    assert_eq!((stored.width, stored.height), (3, 2), "{name}");
    let stored = reds(&stored);
    if !name.ends_with("jpg") {
        assert_eq!(stored, [1, 2, 3, 4, 5, 6], "{name}");
    }
    let upright = read(&path, APPLY).unwrap();
    let size = if orientation < 5 { (3, 2) } else { (2, 3) };
    assert_eq!((upright.width, upright.height), size, "{name}");
    let size_by_header = picture_size(&path.as_path().into(), &APPLY).unwrap();
    assert_eq!(size_by_header, size, "{name}");
    let expected: Vec<u8> = TURNED[orientation - 1]
        .iter()
        .map(|&place| stored[usize::from(place) - 1])
        .collect();
    assert_eq!(reds(&upright), expected, "{name} {orientation}");
}

#[test]
fn every_orientation_of_every_format_is_as_pillow_turns_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let grey = rows();
    let rgb = DynamicImage::from(grey.clone()).into_rgb8();
    for orientation in 1..=8 {
        for little in [true, false] {
            let block = exif(orientation as u16, little);
            let mut jpg = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut jpg, 100);
            encoder.set_exif_metadata(block.clone()).unwrap();
            encoder.encode_image(&grey).unwrap();
            check_turned(folder, "grey.jpg", &jpg, orientation);

            let mut webp = Vec::new();
            let mut encoder = WebPEncoder::new_lossless(&mut webp);
            encoder.set_exif_metadata(block.clone()).unwrap();
            encoder
                .write_image(&rgb, 3, 2, image::ExtendedColorType::Rgb8)
                .unwrap();
            check_turned(folder, "rgb.webp", &webp, orientation);

            // The chunk may stand before the pixels, behind them, and have JPEG's marker before it.
            let png = encoded(&grey.clone().into(), ImageFormat::Png);
            let marked = [b"Exif\0\0".as_slice(), &block].concat();
            for (at, block) in [(33, &block), (png.len() - 12, &marked)] {
                let mut png = png.clone();
                png.splice(at..at, chunk(b"eXIf", block));
                check_turned(folder, "grey.png", &png, orientation);
            }

            let page = TiffPage {
                size: (3, 2),
                bits: 8,
                pixels: &grey,
                tags: &[(0x112, orientation as u16)],
            };
            check_turned(folder, "grey.tif", &tiff(&[page], little), orientation);
        }
    }
}

#[test]
fn masks_are_turned_as_images_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mask.tif");
    let page = TiffPage {
        size: (3, 2),
        bits: 8,
        pixels: &[255, 0, 0, 0, 0, 0],
        tags: &[(0x112, 6)],
    };
    fs::write(&path, tiff(&[page], true)).unwrap();
    let native = |how| load_mask_native(std::slice::from_ref(&path), MaskRule::Half, how).unwrap();
    let stored = native(Orientation::Ignore);
    assert_eq!((stored.width, stored.height), (3, 2));
    let upright = native(Orientation::Apply);
    assert_eq!((upright.width, upright.height), (2, 3));
    assert_eq!(upright.pixels, [false, true, false, false, false, false]);
}

#[test]
fn xmp_counts_where_exif_is_silent_and_nonsense_turns_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let png = encoded(&rows().into(), ImageFormat::Png);
    let packet = b"XML:com.adobe.xmp\0\0\0\0\0<rdf tiff:Orientation=\"6\"/>";
    let with = |chunks: &[Vec<u8>]| {
        let mut png = png.clone();
        png.splice(33..33, chunks.concat());
        png
    };
    let xmp = chunk(b"iTXt", packet);
    check_turned(dir.path(), "xmp.png", &with(std::slice::from_ref(&xmp)), 6);
    let both = with(&[chunk(b"eXIf", &exif(3, true)), xmp]);
    check_turned(dir.path(), "both.png", &both, 3);
    for block in [
        exif(9, true),
        exif(0, false),
        b"MM\0*".to_vec(),
        exif(6, true)[..16].to_vec(),
    ] {
        check_turned(dir.path(), "odd.png", &with(&[chunk(b"eXIf", &block)]), 1);
    }
}

#[test]
fn layouts_say_whether_orientation_is_followed() {
    for layout in Layout::ALL {
        let own = matches!(layout, Layout::Folder | Layout::Manifest);
        assert_eq!(Orientation::of(layout) == Orientation::Apply, own);
    }
}

fn page(number: u32) -> Reading {
    Reading {
        page: NonZeroU32::new(number),
        ..Reading::default()
    }
}

/// Refused with the number of pages; each page is `expected`, and the one behind the last is refused, too.
fn check_pages(path: &Path, expected: &[u8]) {
    let pages = expected.len();
    let message = read(path, Reading::default()).unwrap_err().to_string();
    let says = format!("it has {pages} pages or frames; choose one (--page 1)");
    assert!(message.contains(&says), "{message}");
    for (number, &value) in (1..).zip(expected) {
        let picture = read(path, page(number)).unwrap();
        assert_eq!(reds(&picture)[0], value, "{} {number}", path.display());
    }
    let error = read(path, page(pages as u32 + 1)).unwrap_err();
    assert!(matches!(error, DataError::Pages { pages: found, .. } if found == pages));
}

#[test]
fn pages_and_frames_are_chosen_never_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: Vec<u8>| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let tiff_page = |pixels, tags| TiffPage {
        size: (1, 1),
        bits: 8,
        pixels,
        tags,
    };
    for little in [true, false] {
        let three = [&[10], &[20], &[30]].map(|pixels| tiff_page(pixels, &[]));
        check_pages(&path("three.tif", tiff(&three, little)), &[10, 20, 30]);
        // A thumbnail is no page, wherever it stands.
        let with_thumbnails = [
            tiff_page(&[1], &[(254, 1)]),
            tiff_page(&[10], &[]),
            tiff_page(&[2], &[(255, 2)]),
        ];
        let one = path("one.tif", tiff(&with_thumbnails, little));
        assert_eq!(reds(&read(&one, Reading::default()).unwrap()), [10]);
        assert_eq!(reds(&read(&one, page(1)).unwrap()), [10]);
    }
    check_pages(
        &path("three.png", animated_png(&[10, 20, 30], false)),
        &[10, 20, 30],
    );
    check_pages(&path("still.png", animated_png(&[10], true)), &[9, 10]);
    let frames = [[10, 0, 0], [20, 0, 0], [30, 0, 0]];
    check_pages(&path("three.webp", animated_webp(&frames)), &[10, 20, 30]);
    // One frame is one picture, animated or not.
    for (name, bytes) in [
        ("single.png", animated_png(&[10], false)),
        ("single.webp", animated_webp(&frames[..1])),
    ] {
        let single = path(name, bytes);
        assert_eq!(reds(&read(&single, Reading::default()).unwrap())[0], 10);
        let message = read(&single, page(2)).unwrap_err().to_string();
        assert!(
            message.contains("one page, but page 2 was chosen"),
            "{message}"
        );
    }
}

#[test]
fn lists_of_pages_that_lead_nowhere_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.tif");
    let tiff_page = || TiffPage {
        size: (1, 1),
        bits: 8,
        pixels: &[7],
        tags: &[],
    };
    let whole = tiff(&[tiff_page()], true);
    // The pointer to the next page stands before the one pixel.
    let pointer = whole.len() - 5;
    for next in [8u32, 9, 100_000, u32::MAX] {
        let mut bytes = whole.clone();
        bytes[pointer..pointer + 4].copy_from_slice(&next.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let message = read(&path, Reading::default()).unwrap_err().to_string();
        assert!(
            message.contains("out of the file or in a circle"),
            "{message}"
        );
    }
    let two = tiff(&[tiff_page(), tiff_page()], false);
    for length in 0..two.len() {
        fs::write(&path, &two[..length]).unwrap();
        // Only the pixel of the second page may be missing.
        let accepted = read(&path, page(1)).is_ok();
        assert_eq!(accepted, length + 1 == two.len(), "{length}");
    }
}
