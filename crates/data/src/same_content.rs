//! The same picture, or nearly the same, in training and in test under different names.

use std::collections::HashMap;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::finding::{Finding, FindingKind};
use crate::image::load_picture;
use crate::resize::resize;
use crate::room::room_for;
use crate::sample::Sample;
use crate::split::Split;
use crate::store::ImageStore;

/// Most images whose content is compared.
pub const COMPARED: usize = 20_000;
/// Side of the thumbnails in pixels.
const SIDE: usize = 16;
/// Thumbnails are nearly equal below this mean absolute difference in grey levels of 255.
const NEARLY: f32 = 1.0;
/// And below this share of what they deviate from their own means: blank pictures are all alike.
const OF_CONTRAST: f32 = 0.1;

/// Compares the test images of a split with its other images: pixels by digest, and thumbnails of 16 x 16 grey pixels, which are nearly
/// equal if they differ by less than 1 grey level on average and by less than a tenth of their contrast. Every image is decoded once, in
/// parallel; images that cannot be read are left to [`ImageStore::load`](crate::ImageStore::load). Above [`COMPARED`] images nothing is
/// compared, which is a finding, too.
pub fn check_content(split: &Split) -> Vec<Finding> {
    let training: Vec<&Sample> = [&split.normal, &split.labelled, &split.validation]
        .into_iter()
        .flatten()
        .collect();
    let total = training.len() + split.test.len();
    if split.test.is_empty() {
        return Vec::new();
    }
    if total > COMPARED {
        return vec![Finding {
            kind: FindingKind::NotCompared,
            count: total,
            examples: Vec::new(),
            message: format!(
                "whether training and test show the same was not looked at: {total} images are more than {COMPARED}"
            ),
        }];
    }
    let mut training: Vec<(&Sample, Print)> = training
        .into_par_iter()
        .filter_map(|sample| Some((sample, Print::of(sample)?)))
        .collect();
    training.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let mut by_digest: HashMap<[u8; 32], &Sample> = HashMap::new();
    for (sample, print) in &training {
        by_digest.insert(print.digest, sample);
    }
    let found: Vec<(bool, String)> = split
        .test
        .par_iter()
        .filter_map(|sample| {
            let print = Print::of(sample)?;
            let equal = by_digest.get(&print.digest).copied();
            let other = equal.or_else(|| nearest(&print, &training))?;
            Some((
                equal.is_some(),
                format!("{} and {}", sample.path, other.path),
            ))
        })
        .collect();
    let pairs = |equal| -> Vec<String> {
        let of_kind = found.iter().filter(|pair| pair.0 == equal);
        of_kind.map(|pair| pair.1.clone()).collect()
    };
    let (equal, similar) = (pairs(true), pairs(false));
    let tested = split.test.len();
    let message = |count, how| {
        format!(
            "{count} of {tested} test images show {how} a training or validation image, so test figures say too much; remove them from one of the two"
        )
    };
    [
        Finding::of(
            FindingKind::EqualContent,
            &equal,
            message(equal.len(), "exactly the same as"),
        ),
        Finding::of(
            FindingKind::SimilarContent,
            &similar,
            message(similar.len(), "nearly the same as"),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How many of `images` show the same as one of `among`, or nearly so: thumbnails of 16 x 16 grey pixels that differ by less than 1 grey
/// level on average and by less than a tenth of their contrast.
pub fn near_duplicates(images: &ImageStore, among: &[&ImageStore]) -> usize {
    let prints = |store: &ImageStore| -> Vec<Print> {
        let print = |index| Print::new([0; 32], grey_thumbnail(store, index, SIDE));
        (0..store.len()).into_par_iter().map(print).collect()
    };
    let mut others: Vec<((), Print)> = among
        .iter()
        .flat_map(|store| prints(store))
        .map(|print| ((), print))
        .collect();
    others.sort_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let near = prints(images).into_par_iter();
    near.filter(|print| nearest(print, &others).is_some())
        .count()
}

/// Image `index` of a store at `side` x `side` grey pixels.
pub(crate) fn grey_thumbnail(store: &ImageStore, index: usize, side: usize) -> Vec<u8> {
    let size = (store.size(), store.size());
    grey(&resize::<3>(store.pixels(index), size, (side, side)))
}

fn grey(pixels: &[u8]) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<3>();
    let mean = |rgb: &[u8; 3]| (rgb.map(u32::from).into_iter().sum::<u32>() / 3) as u8;
    pixels.iter().map(mean).collect()
}

/// What is compared of an image.
struct Print {
    digest: [u8; 32],
    thumbnail: Vec<u8>,
    mean: f32,
    /// Mean absolute deviation from the mean.
    contrast: f32,
}

impl Print {
    fn of(sample: &Sample) -> Option<Self> {
        let _room = room_for(&sample.path);
        let picture = load_picture(&sample.path).ok()?;
        let mut hasher = Sha256::new();
        hasher.update((picture.width as u64).to_le_bytes());
        hasher.update(&picture.pixels);
        let square = picture.to_square(SIDE);
        Some(Self::new(hasher.finalize().into(), grey(&square.pixels)))
    }

    fn new(digest: [u8; 32], thumbnail: Vec<u8>) -> Self {
        let average =
            |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / (SIDE * SIDE) as f32;
        let mean = average(&mut thumbnail.iter().map(|&value| f32::from(value)));
        let contrast = average(
            &mut thumbnail
                .iter()
                .map(|&value| (f32::from(value) - mean).abs()),
        );
        Self {
            digest,
            thumbnail,
            mean,
            contrast,
        }
    }

    fn difference(&self, other: &Self) -> f32 {
        let pairs = self.thumbnail.iter().zip(&other.thumbnail);
        let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        sum as f32 / (SIDE * SIDE) as f32
    }
}

/// The most similar image if it is nearly the same. `all` is sorted by means: those further apart than the threshold need no comparison.
fn nearest<T: Copy>(print: &Print, all: &[(T, Print)]) -> Option<T> {
    let first = all.partition_point(|(_, other)| other.mean < print.mean - NEARLY);
    all[first..]
        .iter()
        .take_while(|(_, other)| other.mean <= print.mean + NEARLY)
        .map(|(sample, other)| (print.difference(other), sample, other))
        .filter(|(difference, _, other)| {
            let limit = NEARLY.min(OF_CONTRAST * print.contrast.min(other.contrast));
            *difference < limit
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, sample, _)| *sample)
}
