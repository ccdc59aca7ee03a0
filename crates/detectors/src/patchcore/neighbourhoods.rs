use std::ops::Range;

use ckaad_anomaly_map::{Align, upsample};
use rayon::prelude::*;

/// Numbers of a patch, of a scale and in all.
pub const NUMBERS: usize = 1024;

/// The patches of an image as the authors' program has them: all numbers of 3 x 3 positions (zeros beyond the border), by channel, row and
/// column, coarser scales up-sampled bilinearly; averaged down to 1024 of each scale, and those of all scales to 1024 again.
///
/// # Shapes
/// `scales[s]`: `[channels(s), height(s), width(s)]`, given by `shapes`, fine to coarse; the result is `[1024, positions]`.
///
/// # Panics
/// If the shapes are not those of the scales.
pub fn neighbourhoods(scales: &[&[f32]], shapes: &[[usize; 3]]) -> Vec<f32> {
    let Some(&[_, height, width]) = shapes.first() else {
        return Vec::new();
    };
    let mut joined = vec![0.0; scales.len() * NUMBERS * height * width];
    joined
        .par_chunks_exact_mut(height * width)
        .enumerate()
        .with_min_len(16)
        .for_each(|(number, out)| {
            let (scale, number) = (number / NUMBERS, number % NUMBERS);
            let [channels, rows, columns] = shapes[scale];
            let sides = [rows, columns];
            let window = window(number, 9 * channels, NUMBERS);
            let share = 1.0 / window.len() as f32;
            let mut mean = vec![0.0; rows * columns];
            for index in window {
                let channel = &scales[scale][index / 9 * rows * columns..][..rows * columns];
                add_shifted(channel, sides, [index % 9 / 3, index % 3], share, &mut mean);
            }
            upsample(&mean, sides, out, [height, width], Align::Edges);
        });
    let mut patches = vec![0.0; NUMBERS * height * width];
    patches
        .par_chunks_exact_mut(height * width)
        .enumerate()
        .with_min_len(16)
        .for_each(|(number, out)| {
            let window = window(number, scales.len() * NUMBERS, NUMBERS);
            let share = 1.0 / window.len() as f32;
            for index in window {
                let values = &joined[index * height * width..][..height * width];
                for (sum, value) in out.iter_mut().zip(values) {
                    *sum += share * value;
                }
            }
        });
    patches
}

/// Which of `from` numbers the `number`th of `to` is the mean of (PyTorch's adaptive pooling).
pub fn window(number: usize, from: usize, to: usize) -> Range<usize> {
    number * from / to..((number + 1) * from).div_ceil(to)
}

/// Adds to every position a share of the value one row and column before, at or after it (`at` 0, 1 or 2), if that is inside.
fn add_shifted(
    channel: &[f32],
    [height, width]: [usize; 2],
    at: [usize; 2],
    share: f32,
    sums: &mut [f32],
) {
    // Where position + at - 1 is inside.
    let inside = |at: usize, side: usize| 1_usize.saturating_sub(at)..(side + 1 - at).min(side);
    let columns = inside(at[1], width);
    for y in inside(at[0], height) {
        let from = (y + at[0] - 1) * width + at[1] + columns.start - 1;
        let sums = &mut sums[y * width..][columns.clone()];
        for (sum, value) in sums.iter_mut().zip(&channel[from..]) {
            *sum += share * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_adaptive_pooling() {
        assert_eq!(window(0, 1152, 1024), 0..2);
        assert_eq!(window(7, 1152, 1024), 7..9);
        assert_eq!(window(1023, 2304, 1024), 2301..2304);
        assert_eq!(window(5, 2048, 1024), 10..12);
    }

    #[test]
    fn beyond_the_border_is_nothing() {
        let channel = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let shifted = |at| {
            let mut sums = [0.0; 6];
            add_shifted(&channel, [2, 3], at, 1.0, &mut sums);
            sums
        };
        assert_eq!(shifted([1, 1]), channel);
        assert_eq!(shifted([0, 0]), [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
        assert_eq!(shifted([2, 1]), [4.0, 5.0, 6.0, 0.0, 0.0, 0.0]);
        assert_eq!(shifted([1, 2]), [2.0, 3.0, 0.0, 5.0, 6.0, 0.0]);
    }
}
