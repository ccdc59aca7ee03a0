//! Every parser of this crate on plain bytes, for the fuzz targets. Not part of the public interface.

use std::num::NonZeroU32;
use std::path::Path;

use crate::decode::{decode, size};
use crate::layout::{cifar10, manifest};
use crate::mask;
use crate::reading::{Orientation, Reading};
use crate::split::Split;
use crate::table::Table;

/// A function that must return, whatever the bytes; true if they are valid.
pub type Parser = fn(&[u8]) -> bool;

/// Greatest number of pixels that is decoded: larger pictures only take longer.
const PIXELS: usize = 1 << 18;

/// Every parser by name.
pub const ALL: [(&str, Parser); 8] = [
    ("jpeg", jpeg),
    ("image", image),
    ("mask", mask),
    ("manifest_csv", manifest_csv),
    ("manifest_jsonl", manifest_jsonl),
    ("table", table),
    ("cifar_binary", cifar_binary),
    ("split", split),
];

/// A JPEG file of at most a million pixels.
pub fn jpeg(bytes: &[u8]) -> bool {
    let small =
        crate::jpeg::header(bytes).is_ok_and(|header| header.width * header.height <= 1_000_000);
    small && crate::jpeg::decode(bytes, Vec::new()).is_ok()
}

/// An image file of any format: read as published data sets are, then its second page, turned as the file asks for.
pub fn image(bytes: &[u8]) -> bool {
    let second = Reading {
        orientation: Orientation::Apply,
        page: NonZeroU32::new(2),
        ..Reading::PUBLISHED
    };
    decodes(bytes, &second) | decodes(bytes, &Reading::PUBLISHED)
}

fn decodes(bytes: &[u8], reading: &Reading) -> bool {
    let path = Path::new("image");
    // Choosing a page changes the bytes of a TIFF file.
    let size = size(&mut bytes.to_vec(), path, reading);
    let small = size.is_ok_and(|(width, height)| width * height <= PIXELS);
    small
        && decode(&mut bytes.to_vec(), path, reading, Vec::new())
            .is_ok_and(|raster| raster.into_rgb().len() <= PIXELS * 3)
}

/// A mask: a grey image, and the alpha channel of one whose colours are all zero.
pub fn mask(bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    let path = Path::new("mask");
    let small = size(&mut bytes, path, &Reading::PUBLISHED)
        .is_ok_and(|(width, height)| width * height <= PIXELS);
    if !small {
        return false;
    }
    let grey = decode(&mut bytes, path, &Reading::PUBLISHED, Vec::new());
    mask::alpha(&bytes, Orientation::Apply);
    grey.is_ok_and(|raster| !raster.into_grey().is_empty())
}

/// `manifest.csv`.
pub fn manifest_csv(bytes: &[u8]) -> bool {
    manifest::parse(bytes, Path::new("manifest.csv")).is_ok()
}

/// `manifest.jsonl`.
pub fn manifest_jsonl(bytes: &[u8]) -> bool {
    manifest::parse(bytes, Path::new("manifest.jsonl")).is_ok()
}

/// A CSV table.
pub fn table(bytes: &[u8]) -> bool {
    Table::parse(bytes, Path::new("table.csv")).is_ok_and(|table| table.require("image").is_ok())
}

/// A binary CIFAR-10 batch.
pub fn cifar_binary(bytes: &[u8]) -> bool {
    cifar10::parse(bytes, Path::new("test_batch.bin")).is_ok()
}

/// A split file.
pub fn split(bytes: &[u8]) -> bool {
    Split::parse(bytes, Path::new("split.json")).is_ok()
}
