//! Images with noise on a rectangle of each.

use std::ops::{Range, RangeInclusive};

use burn::tensor::{Tensor, TensorData};
use ckaad_data::STD;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::noise::octaves;
use crate::pooling::values;

/// Noise, drawn anew in every step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise {
    /// What it is multiplied by, where the brightness of a pixel goes from 0 to 1.
    pub(super) strength: f64,
    /// Everything is drawn by this and the step's number.
    pub(super) seed: u64,
}

/// Where there is noise, and by which seed.
#[derive(Debug, Clone)]
struct Patch {
    rows: Range<usize>,
    columns: Range<usize>,
    seed: u64,
}

/// Sides of a patch: 10 to 32 pixels where an image has 256.
fn sides(image_size: usize) -> RangeInclusive<usize> {
    let most = (image_size / 8).max(1);
    (image_size * 10 / 256).clamp(1, most)..=most
}

impl Patch {
    fn draw(random: &mut ChaCha8Rng, [height, width]: [usize; 2]) -> Self {
        let mut range = |size: usize| {
            let side = random.random_range(sides(size));
            let start = random.random_range(0..=size - side);
            start..start + side
        };
        Self {
            rows: range(height),
            columns: range(width),
            seed: random.random(),
        }
    }

    /// Adds noise to a normalised image `[channels, height, width]`. The coarsest octave varies over the largest side of a patch; channels
    /// are as far from each other as pixels are.
    fn add(&self, image: &mut [f32], [height, width]: [usize; 2], strength: f64) {
        let unit = *sides(height.min(width)).end() as f64;
        for (channel, plane) in image.chunks_exact_mut(height * width).enumerate() {
            let scale = strength / f64::from(STD[channel % STD.len()]);
            for row in self.rows.clone() {
                for column in self.columns.clone() {
                    let point = [channel, row, column].map(|at| at as f64 / unit);
                    let noise = octaves(self.seed, point);
                    plane[row * width + column] += (scale * noise) as f32;
                }
            }
        }
    }
}

impl Noise {
    /// Normalised images with noise on a rectangle of each.
    ///
    /// # Shapes
    /// - images, output: `[batch, 3, height, width]`
    pub(super) fn on(self, images: Tensor<4>, step: u64) -> Tensor<4> {
        let (shape, device) = (images.dims(), images.device());
        let [batch, channels, height, width] = shape;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(step);
        let size = [height, width];
        let patches: Vec<Patch> = (0..batch).map(|_| Patch::draw(&mut random, size)).collect();
        let mut noised = values(images);
        noised
            .par_chunks_exact_mut(channels * height * width)
            .zip(&patches)
            .for_each(|(image, patch)| patch.add(image, size, self.strength));
        Tensor::from_data(TensorData::new(noised, shape), &device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: Noise = Noise {
        strength: 0.2,
        seed: 9,
    };

    /// What is added to images of nothing.
    fn added(step: u64, side: usize) -> Vec<f32> {
        let images = Tensor::zeros([4, 3, side, side], &ckaad_device::cpu());
        values(NOISE.on(images, step))
    }

    #[test]
    fn a_rectangle_of_every_image_has_noise() {
        const SIDE: usize = 256;
        for image in added(3, SIDE).chunks_exact(3 * SIDE * SIDE) {
            let changed = image.iter().enumerate().filter(|(_, x)| **x != 0.0);
            let places: Vec<[usize; 2]> = changed
                .map(|(at, _)| [at / SIDE % SIDE, at % SIDE])
                .collect();
            let sides = [0, 1].map(|axis| {
                let along = || places.iter().map(|place| place[axis]);
                along().max().unwrap_or(0) + 1 - along().min().unwrap_or(0)
            });
            assert!(sides.iter().all(|side| (10..=32).contains(side)));
            assert!(places.len() * 10 > 3 * sides[0] * sides[1] * 9);
            let largest = image.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
            assert!((0.05..2.4).contains(&largest), "{largest}");
        }
    }

    #[test]
    fn noise_follows_from_seed_step_and_image() {
        let first = added(1, 64);
        assert_eq!(first, added(1, 64));
        assert_ne!(first, added(2, 64));
        assert_ne!(first[..3 * 64 * 64], first[3 * 64 * 64..][..3 * 64 * 64]);
    }

    #[test]
    fn patches_of_the_smallest_images_have_a_pixel() {
        assert_eq!(sides(8), 1..=1);
        assert_eq!(sides(256), 10..=32);
    }
}
