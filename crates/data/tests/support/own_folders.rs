//! A small data set in folders of one's own, changed one thing at a time.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use ckaad_data::*;
use image::{DynamicImage, GrayImage, Luma, RgbImage};

pub(crate) const SIDE: u32 = 48;

/// A picture that is like no other of another seed.
pub(crate) fn texture(seed: u32) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let value =
            |k: u32| ((x * (3 + seed % 7) + y * (5 + seed % 5) + seed * 37 + k * 11) % 251) as u8;
        image::Rgb([value(0), value(1), value(2)])
    })
}

/// A mask of 10 x 10 pixels at a place of its own, of that value.
pub(crate) fn square(seed: u32, value: u8) -> GrayImage {
    let (left, top) = (2 + seed % 8, 4 + seed % 6);
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let inside = (left..left + 10).contains(&x) && (top..top + 10).contains(&y);
        Luma([if inside { value } else { 0 }])
    })
}

/// Folders that are removed with it.
pub(crate) struct Own {
    dir: tempfile::TempDir,
}

impl Own {
    /// 6 normal and 2 anomalous training images, and `good` and `hole` of 3 test images each.
    pub(crate) fn new() -> Self {
        let own = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for n in 0..6 {
            own.save(&format!("good/{n:03}.png"), texture(n));
        }
        for n in 0..2 {
            own.save(&format!("bad/b{n}.png"), texture(20 + n));
        }
        for n in 0..3 {
            own.save(&format!("test/good/g{n}.png"), texture(40 + n));
            own.save(&format!("test/hole/{n:03}.png"), texture(60 + n));
        }
        own
    }

    /// As `new`, with a mask for each image of `hole` under the name that `name` makes of its stem.
    pub(crate) fn with_masks(
        name: impl Fn(&str) -> String,
        mask: impl Fn(u32) -> DynamicImage,
    ) -> Self {
        let own = Self::new();
        for n in 0..3 {
            own.save(&format!("masks/{}", name(&format!("{n:03}"))), mask(n));
        }
        own
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn save(&self, name: &str, picture: impl Into<DynamicImage>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.into().save(path).unwrap();
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn source(&self) -> FolderSource {
        let masks = Some(self.at("masks")).filter(|path| path.is_dir());
        FolderSource {
            normal: self.at("good"),
            anomalous: Some(self.at("bad")),
            test: Some(self.at("test")),
            masks,
            normal_class: None,
        }
    }

    pub(crate) fn open(&self) -> Result<Dataset, DataError> {
        Dataset::from_folders(&self.source())
    }

    pub(crate) fn split(&self) -> Split {
        Protocol::default().split(&self.open().unwrap()).unwrap()
    }

    /// Warnings of masks, or why they are refused, at 24 x 24 pixels.
    pub(crate) fn check(&self, rule: MaskRule) -> Result<Vec<Finding>, String> {
        let split = Split {
            mask_rule: rule,
            ..self.split()
        };
        check_masks(&split, 24).map_err(|error| error.to_string())
    }

    /// The masks of a test image, relative to the folder.
    pub(crate) fn masks_of(&self, dataset: &Dataset, image: &str) -> Vec<String> {
        let path = Source::File(self.at(image));
        let sample = dataset
            .test
            .iter()
            .find(|sample| sample.path == path)
            .unwrap();
        sample
            .masks
            .iter()
            .map(|path| relative(self.dir.path(), path))
            .collect()
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}
