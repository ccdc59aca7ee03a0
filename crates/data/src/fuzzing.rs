//! Every parser of this crate on plain bytes, for the fuzz targets. Not part of the public interface.

use std::path::Path;

use crate::layout::{cifar10, manifest};
use crate::split::Split;
use crate::table::Table;

/// A function that must return, whatever the bytes; true if they are valid.
pub type Parser = fn(&[u8]) -> bool;

/// Every parser by name.
pub const ALL: [(&str, Parser); 6] = [
    ("jpeg", jpeg),
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
