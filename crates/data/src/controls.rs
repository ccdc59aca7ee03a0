//! What images give away without any network: scores that a detector should beat before it is believed.

use rayon::prelude::*;

use crate::image::picture_size;
use crate::reading::Reading;
use crate::same_content::grey_thumbnail;
use crate::store::ImageStore;

/// Side of the thumbnails in pixels.
const SIDE: usize = 32;

/// The names of the controls, in the order of [`Controls::scores`].
pub const CONTROLS: [&str; 5] = [
    "thumbnail",
    "brightness",
    "contrast",
    "picture-size",
    "file-size",
];

/// What is known of normal training images without a network.
pub struct Controls {
    thumbnails: Vec<Vec<u8>>,
    /// Of brightness, contrast, picture size and file size.
    means: [f64; 4],
    reading: Reading,
}

impl Controls {
    /// Learns from normal training images that were read in that way.
    pub fn new(normal: &ImageStore, reading: Reading) -> Self {
        let prints = prints(normal, &reading);
        let count = prints.len().max(1) as f64;
        let mean = |of: usize| prints.iter().map(|print| print.values[of]).sum::<f64>() / count;
        Self {
            means: [0, 1, 2, 3].map(mean),
            thumbnails: prints.into_iter().map(|print| print.thumbnail).collect(),
            reading,
        }
    }

    /// The scores of images by every control of [`CONTROLS`]: the Euclidean distance from the nearest of the normal images as thumbnails of
    /// 32 x 32 grey pixels; then how far the mean grey level, its standard deviation, the logarithm of the picture's pixels and that of the
    /// file's bytes lie above their means over the normal images (negative below).
    pub fn scores(&self, images: &ImageStore) -> [Vec<f64>; 5] {
        let prints = prints(images, &self.reading);
        let nearest = |print: &Print| -> f64 {
            let distances = self.thumbnails.iter().map(|other| {
                let pairs = print.thumbnail.iter().zip(other);
                pairs
                    .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2))
                    .sum::<u64>()
            });
            (distances.min().unwrap_or(0) as f64).sqrt()
        };
        let above = |of: usize| -> Vec<f64> {
            let values = prints.iter().map(|print| print.values[of]);
            values.map(|value| value - self.means[of]).collect()
        };
        [
            prints.par_iter().map(nearest).collect(),
            above(0),
            above(1),
            above(2),
            above(3),
        ]
    }
}

struct Print {
    thumbnail: Vec<u8>,
    values: [f64; 4],
}

fn prints(images: &ImageStore, reading: &Reading) -> Vec<Print> {
    let print = |index| {
        let thumbnail = grey_thumbnail(images, index, SIDE);
        let count = thumbnail.len() as f64;
        let grey = || thumbnail.iter().map(|&value| f64::from(value));
        let mean = grey().sum::<f64>() / count;
        let square = grey().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let path = &images.samples()[index].path;
        // What was read a moment ago has a size; were the file gone by now, it would count as the smallest.
        let (width, height) = picture_size(path, reading).unwrap_or((1, 1));
        let bytes = std::fs::metadata(path.file()).map_or(1, |file| file.len().max(1));
        Print {
            values: [
                mean,
                square.sqrt(),
                ((width * height) as f64).ln(),
                (bytes as f64).ln(),
            ],
            thumbnail,
        }
    };
    (0..images.len()).into_par_iter().map(print).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Label, Sample, StoreOptions, SynthSize, list_images, near_duplicates, synth_demo};

    #[test]
    fn training_images_are_their_own_neighbours_and_lie_around_their_means() {
        let folder = tempfile::tempdir().unwrap();
        synth_demo(folder.path(), 3, SynthSize::default()).unwrap();
        let images = list_images(&[folder.path().join("weave/train/good")], &[]).unwrap();
        let samples: Vec<Sample> = images.images[..6]
            .iter()
            .map(|path| Sample::new(path.as_path(), Label::Normal, "good"))
            .collect();
        let options = StoreOptions {
            size: 64,
            ..StoreOptions::DEFAULT
        };
        let load = |samples: &[Sample]| ImageStore::load(samples, options, None).unwrap().0;
        let (known, new) = (load(&samples[..4]), load(&samples[4..]));
        let controls = Controls::new(&known, Reading::PUBLISHED);
        let [nearest, brightness, ..] = controls.scores(&known);
        assert_eq!(nearest, [0.0; 4]);
        assert!(brightness.iter().sum::<f64>().abs() < 1e-9);
        assert!(controls.scores(&new)[0].iter().all(|&score| score > 0.0));
        assert_eq!(near_duplicates(&load(&samples[2..5]), &[&known]), 2);
    }
}
