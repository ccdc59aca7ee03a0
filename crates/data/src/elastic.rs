//! Synthetic anomalies: torchvision's elastic transform.
//!
//! Noise in [-1, 1) per axis -> Gaussian blur (reflected borders) -> times alpha / side -> added to the sampling grid in normalised
//! coordinates -> bilinear sampling, zeros outside, corners not aligned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::random::Stream;
use crate::simd::{Kernel, best};

/// Strength and smoothness of the elastic transform.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ElasticTransform {
    /// Displacement scale in half-pixels before blurring, >= 0. The paper: 200.
    pub alpha: f64,
    /// Standard deviation of the blur in pixels, >= 0 (0: no blur). The paper: 5, a kernel of 41.
    pub sigma: f64,
}

impl Default for ElasticTransform {
    fn default() -> Self {
        Self {
            alpha: 200.0,
            sigma: 5.0,
        }
    }
}

impl ElasticTransform {
    /// Warps `image` by a field that depends only on (seed, epoch, index).
    pub fn apply(&self, image: &Image, seed: u64, epoch: u64, index: u64) -> Image {
        let mut pixels = vec![0; image.pixels.len()];
        self.apply_to(&image.pixels, image.size, [seed, epoch, index], &mut pixels);
        Image {
            size: image.size,
            pixels,
        }
    }

    /// [`apply`](Self::apply) on the bytes of an image.
    ///
    /// # Panics
    /// If `pixels` or `out` is not `size * size * 3` long.
    pub fn apply_to(&self, pixels: &[u8], size: usize, address: [u64; 3], out: &mut [u8]) {
        let mut axes = ["elastic.x", "elastic.y"].map(|axis| {
            let mut noise = vec![0.0; size * size];
            Stream::at(axis, &address).fill_signed(&mut noise);
            noise
        });
        for axis in &mut axes {
            self.displacement(axis, size);
        }
        warp(pixels, size, &axes[0], &axes[1], out);
    }

    /// Turns noise [size, size] into a displacement in normalised coordinates, in place: blur, times alpha / side.
    pub fn displacement(&self, noise: &mut [f32], size: usize) {
        if self.sigma > 0.0 {
            best(Blur {
                field: noise,
                size,
                kernel: &self.kernel(),
            });
        }
        let scale = (self.alpha / size as f64) as f32;
        noise.iter_mut().for_each(|value| *value *= scale);
    }

    /// The Gaussian of torchvision: 8 sigma + 1 taps, made odd, normalised.
    fn kernel(&self) -> Vec<f32> {
        let taps = (8.0 * self.sigma + 1.0) as usize | 1;
        let half = (taps / 2) as f32;
        let density: Vec<f32> = (0..taps)
            .map(|i| (-0.5 * ((i as f32 - half) / self.sigma as f32).powi(2)).exp())
            .collect();
        let sum: f32 = density.iter().sum();
        density.into_iter().map(|value| value / sum).collect()
    }
}

/// Source position for `index` outside `0..size`: reflected without repeating the border.
fn reflect(index: isize, size: usize) -> usize {
    if size == 1 {
        return 0;
    }
    let period = 2 * (size as isize - 1);
    let folded = index.rem_euclid(period);
    folded.min(period - folded) as usize
}

/// Separable convolution of a square with reflected borders, in place.
struct Blur<'a> {
    field: &'a mut [f32],
    size: usize,
    kernel: &'a [f32],
}

impl Kernel for Blur<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            field,
            size,
            kernel,
        } = self;
        let half = kernel.len() / 2;
        let source: Vec<usize> = (0..size + 2 * half)
            .map(|at| reflect(at as isize - half as isize, size))
            .collect();
        let mut padded = vec![0.0; source.len()];
        let mut rows = vec![0.0; size * size];
        for (row, out) in field.chunks_exact(size).zip(rows.chunks_exact_mut(size)) {
            for (value, &at) in padded.iter_mut().zip(&source) {
                *value = row[at];
            }
            for (tap, weight) in kernel.iter().enumerate() {
                for (sum, value) in out.iter_mut().zip(&padded[tap..]) {
                    *sum += weight * value;
                }
            }
        }
        field.fill(0.0);
        for (out, sources) in field
            .chunks_exact_mut(size)
            .zip(source.windows(kernel.len()))
        {
            for (weight, &row) in kernel.iter().zip(sources) {
                for (sum, value) in out.iter_mut().zip(&rows[row * size..][..size]) {
                    *sum += weight * value;
                }
            }
        }
    }
}

/// Bilinear sampling of `pixels` (HWC) at the identity grid plus (dx, dy); zeros outside.
///
/// # Panics
/// If a length does not fit `size`.
pub fn warp(pixels: &[u8], size: usize, dx: &[f32], dy: &[f32], out: &mut [u8]) {
    assert!(
        pixels.len() == size * size * 3 && out.len() == pixels.len(),
        "pixels do not match the size"
    );
    assert!(
        dx.len() == size * size && dy.len() == dx.len(),
        "displacement does not match the size"
    );
    let side = size as f32;
    // Centre of pixel i in normalised coordinates is (2 i + 1) / side - 1.
    let centre = |i: usize| (2 * i + 1) as f32 / side - 1.0;
    for (y, row) in out.chunks_exact_mut(size * 3).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
            let at = y * size + x;
            let source_x = ((centre(x) + dx[at] + 1.0) * side - 1.0) * 0.5;
            let source_y = ((centre(y) + dy[at] + 1.0) * side - 1.0) * 0.5;
            sample(pixels, size, source_x, source_y, pixel);
        }
    }
}

/// One bilinear sample. Near the border torchvision multiplies by the share of the weight that is inside once more, as its fill value is
/// blended over an already darkened border; here too.
fn sample(pixels: &[u8], size: usize, x: f32, y: f32, out: &mut [u8]) {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let (left, top) = (left as i64, top as i64);
    let mut sums = [0f32; 3];
    let mut inside = 0f32;
    for (row, wy) in [(top, 1.0 - fy), (top + 1, fy)] {
        for (column, wx) in [(left, 1.0 - fx), (left + 1, fx)] {
            let range = 0..size as i64;
            if range.contains(&row) && range.contains(&column) {
                let at = (row as usize * size + column as usize) * 3;
                inside += wx * wy;
                for (sum, &value) in sums.iter_mut().zip(&pixels[at..at + 3]) {
                    *sum += wx * wy * f32::from(value);
                }
            }
        }
    }
    for (value, sum) in out.iter_mut().zip(sums) {
        *value = (sum * inside).round_ties_even() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_registers_change_no_bit() {
        let mut noise = vec![0.0; 50 * 50];
        Stream::at("test", &[1]).fill_signed(&mut noise);
        let kernel = ElasticTransform::default().kernel();
        let mut narrow = noise.clone();
        Blur {
            field: &mut narrow,
            size: 50,
            kernel: &kernel,
        }
        .run();
        best(Blur {
            field: &mut noise,
            size: 50,
            kernel: &kernel,
        });
        assert!(
            noise
                .iter()
                .zip(&narrow)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
    }

    #[test]
    fn reflection_does_not_repeat_the_border_and_wraps_small_sides() {
        let row: Vec<usize> = (-3..7).map(|at| reflect(at, 4)).collect();
        assert_eq!(row, [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]);
        assert_eq!(reflect(-7, 1), 0);
        assert_eq!(reflect(-7, 2), 1);
    }

    #[test]
    fn no_displacement_changes_nothing_and_a_large_one_is_black() {
        let image = Image {
            size: 16,
            pixels: (0..16 * 16 * 3).map(|i| (i % 251) as u8).collect(),
        };
        assert_eq!(
            ElasticTransform {
                alpha: 0.0,
                sigma: 5.0
            }
            .apply(&image, 1, 2, 3),
            image
        );
        let (far, mut out) = (vec![4.0; 16 * 16], vec![1; 16 * 16 * 3]);
        warp(&image.pixels, 16, &far, &far, &mut out);
        assert!(out.iter().all(|&value| value == 0));
    }
}
