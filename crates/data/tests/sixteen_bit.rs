//! What values of 16 bits mean, and how readings are written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Cursor;
use std::path::Path;

use ckaad_data::*;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat};

/// The red values of a file.
fn reds(path: &Path, reading: Reading) -> Vec<u8> {
    let picture = Loader::new(reading).load_picture(&path.into()).unwrap();
    picture.pixels.iter().step_by(3).copied().collect()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn eight_bits() -> DynamicImage {
    GrayImage::from_raw(3, 1, vec![1, 2, 3]).unwrap().into()
}

fn grey16(values: Vec<u16>) -> DynamicImage {
    let width = values.len() as u32;
    DynamicImage::ImageLuma16(ImageBuffer::from_raw(width, 1, values).unwrap())
}

#[test]
fn sixteen_bit_values_become_bytes_by_a_stated_rule() {
    let dir = tempfile::tempdir().unwrap();
    let values = vec![0, 255, 256, 2047, 4095, 32768, 65535];
    let rgb: Vec<u16> = values.iter().flat_map(|&value| [value; 3]).collect();
    let rgb = DynamicImage::ImageRgb16(ImageBuffer::from_raw(7, 1, rgb).unwrap());
    let windowed = Reading {
        window: Some("0,4095".parse().unwrap()),
        ..Reading::default()
    };
    for (name, image) in [("grey", grey16(values)), ("rgb", rgb)] {
        for format in [ImageFormat::Png, ImageFormat::Tiff] {
            let path = dir.path().join(name);
            fs::write(&path, encoded(&image, format)).unwrap();
            let whole = reds(&path, Reading::default());
            assert_eq!(whole, [0, 0, 1, 7, 15, 128, 255], "{name} {format:?}");
            let part = reds(&path, windowed);
            // 256 of 4095 is 15.94 of 255, 2047 is 127.47.
            assert_eq!(part, [0, 16, 16, 127, 255, 255, 255], "{name} {format:?}");
        }
    }
    // Eight bits are left alone.
    let path = dir.path().join("eight.png");
    fs::write(&path, encoded(&eight_bits(), ImageFormat::Png)).unwrap();
    assert_eq!(reds(&path, windowed), [1, 2, 3]);
}

#[test]
fn unused_upper_bits_are_found_over_the_whole_list() {
    let dir = tempfile::tempdir().unwrap();
    let sample = |name: &str, image: &DynamicImage| {
        let path = dir.path().join(name);
        fs::write(&path, encoded(image, ImageFormat::Png)).unwrap();
        Sample::new(path, Label::Normal, "good")
    };
    let dark = sample("dark.png", &grey16(vec![0, 4095]));
    let darker = sample("darker.png", &grey16(vec![3, 1000]));
    let bright = sample("bright.png", &grey16(vec![0, 60_000]));
    let eight = sample("eight.png", &eight_bits());
    let store = |samples: &[&Sample], reading| {
        let samples: Vec<Sample> = samples.iter().map(|&sample| sample.clone()).collect();
        let options = StoreOptions {
            size: 2,
            reading,
            ..StoreOptions::DEFAULT
        };
        ImageStore::load(&samples, options, None).unwrap().0
    };
    let plain = Reading::default();
    let found = store(&[&dark, &eight, &darker], plain).sixteen_bit();
    let expected = SixteenBit {
        images: 2,
        largest: 4095,
    };
    assert_eq!(found, expected);
    let warning = found.warning(&plain).unwrap();
    assert!(
        warning.contains("2 images") && warning.contains("window 0,4095"),
        "{warning}"
    );
    let windowed = Reading {
        window: Some(Window::new(0, 4095).unwrap()),
        ..plain
    };
    let windowed_store = store(&[&dark], windowed);
    assert_eq!(windowed_store.sixteen_bit().warning(&windowed), None);
    assert_eq!(windowed_store.pixels(0)[9..], [255; 3]);
    // One image that uses all bits shows that the others are merely dark.
    let mixed = store(&[&dark, &bright], plain).sixteen_bit();
    assert_eq!(mixed.warning(&plain), None);
    assert_eq!(store(&[&eight], plain).sixteen_bit().warning(&plain), None);
}

#[test]
fn readings_are_written_and_checked() {
    let text = r#"{"orientation":"apply","window":[100,4095],"page":2}"#;
    let reading: Reading = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&reading).unwrap(), text);
    assert_eq!(
        serde_json::from_str::<Reading>("{}").unwrap(),
        Reading::default()
    );
    assert_eq!(
        toml::from_str::<Reading>(&toml::to_string(&reading).unwrap()).unwrap(),
        reading
    );
    for wrong in [r#"{"window":[7,7]}"#, r#"{"page":0}"#, r#"{"pages":1}"#] {
        serde_json::from_str::<Reading>(wrong).unwrap_err();
    }
    for wrong in ["", "5", "9,3", "0,70000", "-1,5", "1,2,3"] {
        let message = wrong.parse::<Window>().unwrap_err().to_string();
        assert!(message.contains("window = "), "{message}");
    }
    assert_eq!(
        <[u16; 2]>::from(" 0, 4095 ".parse::<Window>().unwrap()),
        [0, 4095]
    );
}
