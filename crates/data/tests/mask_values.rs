//! What masks hold: values, sizes and regions, checked before anything is trained.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use ckaad_data::*;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};

#[path = "support/own_folders.rs"]
mod own_folders;
use own_folders::{Own, SIDE, square};

fn white(n: u32) -> DynamicImage {
    square(n, 255).into()
}

fn in_hole(stem: &str) -> String {
    format!("hole/{stem}.png")
}

#[test]
fn masks_without_a_pixel_over_half_are_refused_with_their_values() {
    let alpha = |n| {
        RgbaImage::from_fn(SIDE, SIDE, |x, y| {
            Rgba([0, 0, 0, square(n, 255)[(x, y)][0]])
        })
        .into()
    };
    let red =
        |n| RgbImage::from_fn(SIDE, SIDE, |x, y| Rgb([square(n, 128)[(x, y)][0], 0, 0])).into();
    let drawn: [(&dyn Fn(u32) -> DynamicImage, &str); 3] = [
        (&|n| square(n, 1).into(), "values are 0, 1,"),
        (&red, "values are 0, 38,"),
        (&alpha, "alpha channel 0, 255,"),
    ];
    for (mask, values) in drawn {
        let own = Own::with_masks(in_hole, mask);
        let error = own.check(MaskRule::Half).unwrap_err();
        assert!(
            error.contains(values)
                && error.contains("`non-zero`")
                && error.contains("masks/hole/002.png"),
            "{error}"
        );
        assert_eq!(own.check(MaskRule::NonZero).unwrap(), []);
        let masks = [own.at("masks/hole/001.png")];
        assert_eq!(
            load_mask_native(&masks, MaskRule::NonZero, Orientation::Apply)
                .unwrap()
                .pixels,
            square(1, 1)
                .pixels()
                .map(|pixel| pixel[0] > 0)
                .collect::<Vec<_>>()
        );
    }
    // A single one is enough: the figure would be wrong.
    let own = Own::with_masks(in_hole, |n| square(n, if n == 1 { 1 } else { 255 }).into());
    let error = own.check(MaskRule::Half).unwrap_err();
    assert!(
        error.contains("001.png") && !error.contains("000.png"),
        "{error}"
    );
}

#[test]
fn a_palette_is_looked_up_before_the_rule() {
    let own = Own::with_masks(in_hole, white);
    for n in 0..3 {
        let path = own.at(&format!("masks/hole/{n:03}.png"));
        let indices: Vec<u8> = square(n, 1).into_raw();
        own_palette(&path, &indices);
    }
    let error = own.check(MaskRule::Half).unwrap_err();
    assert!(
        error.contains("values are 0, 38,") && error.contains("non-zero"),
        "{error}"
    );
    assert_eq!(own.check(MaskRule::NonZero).unwrap(), []);
}

/// A PNG of one byte per pixel with the palette black, (128, 0, 0).
fn own_palette(path: &std::path::Path, indices: &[u8]) {
    use std::io::Write;
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                if crc & 1 == 1 {
                    crc >> 1 ^ 0xEDB8_8320
                } else {
                    crc >> 1
                }
            })
        })
    };
    let mut rows = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for row in indices.chunks(SIDE as usize) {
        rows.write_all(&[0]).unwrap();
        rows.write_all(row).unwrap();
    }
    let header = [0, 0, 0, SIDE as u8, 0, 0, 0, SIDE as u8, 8, 3, 0, 0, 0];
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [
        (b"IHDR", header.to_vec()),
        (b"PLTE", vec![0, 0, 0, 128, 0, 0]),
        (b"IDAT", rows.finish().unwrap()),
        (b"IEND", vec![]),
    ] {
        file.extend((data.len() as u32).to_be_bytes());
        let chunk = [name.as_slice(), &data].concat();
        file.extend(&chunk);
        file.extend(crc(&chunk).to_be_bytes());
    }
    fs::write(path, file).unwrap();
}

#[test]
fn empty_masks_are_warned_of_unless_all_are() {
    let own = Own::with_masks(in_hole, |n| square(n, if n == 1 { 0 } else { 255 }).into());
    let findings = own.check(MaskRule::Half).unwrap();
    let [empty] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!((empty.kind, empty.count), (FindingKind::EmptyMasks, 1));
    assert!(empty.to_string().contains("001.png"), "{empty}");
    let own = Own::with_masks(in_hole, |n| square(n, 0).into());
    let error = own.check(MaskRule::NonZero).unwrap_err();
    assert!(
        error.contains("002.png") && !error.contains("`non-zero`"),
        "{error}"
    );
    // An alpha channel that is the same everywhere marks nothing.
    let own = Own::with_masks(in_hole, |_| {
        ImageBuffer::from_pixel(SIDE, SIDE, LumaA([0_u8, 255])).into()
    });
    assert!(own.check(MaskRule::NonZero).is_err());
}

#[test]
fn masks_that_cannot_be_read_or_have_another_shape_are_all_listed() {
    let own = Own::with_masks(in_hole, |n| match n {
        0 => white(0),
        _ => white(n).crop_imm(0, 0, SIDE, SIDE / 2),
    });
    let whole = fs::read(own.at("masks/hole/000.png")).unwrap();
    own.write("masks/hole/000.png", &whole[..40]);
    let error = own.check(MaskRule::Half).unwrap_err();
    assert!(
        [
            "000.png: cannot be read",
            "001.png is 48 x 24",
            "002.png is 48 x 24",
            "is 48 x 48"
        ]
        .iter()
        .all(|part| error.contains(part)),
        "{error}"
    );
    // Half the size is the same shape, and so is what rounding makes of it.
    for (width, height) in [(24, 24), (96, 96), (25, 24)] {
        let resized =
            |n| white(n).resize_exact(width, height, image::imageops::FilterType::Nearest);
        assert_eq!(
            Own::with_masks(in_hole, resized)
                .check(MaskRule::Half)
                .unwrap(),
            []
        );
    }
    // Parts of an image must agree, too.
    let own = Own::with_masks(in_hole, white);
    own.save("masks/hole/000_1.png", GrayImage::new(24, 24));
    let error = own.check(MaskRule::Half).unwrap_err();
    assert!(
        error.contains("000_1.png is 24 x 24") && error.contains("48 x 48"),
        "{error}"
    );
}

#[test]
fn sixteen_bit_masks_count_by_their_range_or_as_bytes() {
    let drawn = |value: u16| {
        move |n| {
            let set = square(n, 1);
            ImageBuffer::from_fn(SIDE, SIDE, |x, y| Luma([value * u16::from(set[(x, y)][0])]))
                .into()
        }
    };
    for value in [65535, 40_000, 255] {
        let own = Own::with_masks(in_hole, drawn(value));
        assert_eq!(own.check(MaskRule::Half).unwrap(), [], "{value}");
    }
    for value in [1, 30_000] {
        let own = Own::with_masks(in_hole, drawn(value));
        let error = own.check(MaskRule::Half).unwrap_err();
        assert!(error.contains("`non-zero`"), "{error}");
        assert_eq!(own.check(MaskRule::NonZero).unwrap(), [], "{value}");
    }
}

#[test]
fn inverted_masks_are_warned_of() {
    let own = Own::with_masks(in_hole, |n| {
        let mut mask = white(n);
        mask.invert();
        mask
    });
    let findings = own.check(MaskRule::Half).unwrap();
    let [inverted] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(
        (inverted.kind, inverted.count),
        (FindingKind::InvertedMasks, 3)
    );
    assert!(inverted.to_string().contains("002.png"), "{inverted}");
}

#[test]
fn a_mask_of_a_normal_image_must_be_empty() {
    let own = Own::with_masks(in_hole, white);
    own.save("masks/good/g0.png", square(0, 0));
    assert_eq!(own.check(MaskRule::Half).unwrap(), []);
    own.save("masks/good/g1.png", white(1));
    let error = own.check(MaskRule::Half).unwrap_err();
    assert!(
        error.contains("masks/good/g1.png marks 100 pixels") && error.contains("normal"),
        "{error}"
    );
}

#[test]
fn thin_defects_are_named_and_kept() {
    let scratch = |n: u32| {
        GrayImage::from_fn(SIDE * 16, SIDE * 16, |x, y| {
            Luma([
                if (100..700).contains(&x) && (400 + n..403 + n).contains(&y) {
                    255
                } else {
                    0
                },
            ])
        })
        .into()
    };
    let own = Own::with_masks(in_hole, scratch);
    let findings = own.check(MaskRule::Half).unwrap();
    let [vanishing] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(
        (vanishing.kind, vanishing.count),
        (FindingKind::VanishingDefects, 3)
    );
    assert!(
        vanishing.to_string().contains("test/hole/002.png (1)"),
        "{vanishing}"
    );
    let masks = [own.at("masks/hole/000.png")];
    let set = |how| {
        load_mask(&masks, 24, MaskRule::Half, how, Orientation::Apply)
            .unwrap()
            .pixels
            .iter()
            .filter(|&&set| set)
            .count()
    };
    assert_eq!(set(MaskResize::Exact), 0);
    // 600 of 768 pixels are 18.75 of 24: the length of the scratch.
    assert!(
        (18..=20).contains(&set(MaskResize::KeepRegions)),
        "{}",
        set(MaskResize::KeepRegions)
    );
    assert_eq!(own.split().mask_resize, MaskResize::KeepRegions);
}
