//! Which training images are like an image, and how much noise is taken out of it accordingly.

use rayon::prelude::*;

/// How many of the nearest training images count.
const NEAREST: usize = 20;
/// Kinds of images by how far the nearest are.
const BINS: usize = 10;
/// The least kind that an image is taken for.
const LEAST_BIN: usize = 2;
/// The time from which noise is taken out of the farthest images.
const LAST_START: usize = 80;
/// Training images whose distances say what is usual, at most.
const SAMPLE: usize = 512;

/// Pooled features of training images, and how far they are from each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    /// Numbers of an image.
    pub length: usize,
    /// Image after image.
    pub values: Vec<f32>,
    /// The smallest and the largest distance of a training image from the others.
    pub range: [f32; 2],
}

impl Memory {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.length.max(1)
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The mean absolute difference from the 20 nearest images, not counting the one of number `but`.
    pub fn distance(&self, image: &[f32], but: Option<usize>) -> f32 {
        let all = self.values.chunks_exact(self.length.max(1)).enumerate();
        let others = all.filter(|(number, _)| Some(*number) != but);
        let mut distances: Vec<f32> = others
            .map(|(_, other)| {
                let off = image.iter().zip(other).map(|(a, b)| (a - b).abs());
                off.sum::<f32>() / self.length as f32
            })
            .collect();
        distances.sort_unstable_by(f32::total_cmp);
        distances.truncate(NEAREST);
        distances.iter().sum::<f32>() / distances.len().max(1) as f32
    }

    /// Settles what distances are usual.
    pub(super) fn measure(&mut self) {
        let every = self.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<usize> = (0..self.len()).step_by(every).collect();
        let image = |number: usize| &self.values[number * self.length..][..self.length];
        let distances: Vec<f32> = sample
            .par_iter()
            .map(|&number| self.distance(image(number), Some(number)))
            .collect();
        let least = distances.iter().copied().fold(f32::INFINITY, f32::min);
        let most = distances.iter().copied().fold(0.0, f32::max);
        self.range = [least.min(most), most];
    }

    /// The time from which noise is taken out of an image: the later, the farther the nearest training images are.
    pub fn start(&self, image: &[f32]) -> usize {
        let [least, most] = self.range;
        let share = (self.distance(image, None) - least) / (most - least).max(f32::MIN_POSITIVE);
        let bin = (share.clamp(0.0, 1.0) * BINS as f32).ceil() as usize;
        bin.clamp(LEAST_BIN, BINS) * LAST_START / BINS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_images_get_more_noise() {
        // On a line: 0, 1, ..., 24, of which the nearest 20 count.
        let mut memory = Memory {
            length: 1,
            values: (0..25).map(|at| at as f32).collect(),
            range: [0.0; 2],
        };
        assert_eq!(memory.len(), 25);
        // From 0 to 1, ..., 20; from 12 to ten on either side.
        assert!((memory.distance(&[0.0], Some(0)) - 10.5).abs() < 1e-5);
        memory.measure();
        assert!((memory.range[0] - 5.5).abs() < 1e-5 && (memory.range[1] - 10.5).abs() < 1e-5);
        assert_eq!(memory.start(&[12.0]), 16);
        assert_eq!(memory.start(&[-100.0]), 80);
        // The nearest of 1 are itself and 0, 2, ..., 19: their mean distance is 8.6, in the seventh of ten parts.
        assert_eq!(memory.start(&[1.0]), 56);
    }
}
