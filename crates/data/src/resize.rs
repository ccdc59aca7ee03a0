//! Pillow's BILINEAR resize, bit for bit.
//!
//! Pillow widens the triangle filter by the scale when shrinking (antialiasing), rounds the normalised weights to 22-bit fixed point, and
//! rounds to u8 after each of the two passes. All three matter for the bytes, and so does the order of the passes: horizontal first,
//! except (from Pillow 12 on; this is checked against 13.0) when the height shrinks by more than twice as many pixels as the width.

use crate::simd::{Kernel, best};

/// Fraction bits of a weight: 32 less 8 for the pixel and 2 for head-room, as in Pillow's 8-bit path.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The source range and weights of every output position along one axis.
struct Axis {
    /// First source position per output position.
    first: Vec<usize>,
    /// Number of weights per output position.
    count: Vec<usize>,
    /// `stride` weights per output position, the unused ones 0.
    weights: Vec<i32>,
    stride: usize,
}

impl Axis {
    /// Weights from `input` to `output` positions: w(x) = max(0, 1 - |x + 0.5 - centre| / s), s = max(1, input / output), normalised.
    fn new(input: usize, output: usize) -> Self {
        let scale = input as f64 / output as f64;
        let support = scale.max(1.0);
        let inverse = 1.0 / support;
        let stride = support.ceil() as usize * 2 + 1;
        let mut axis = Self {
            first: Vec::with_capacity(output),
            count: Vec::with_capacity(output),
            weights: vec![0; stride * output],
            stride,
        };
        let mut exact = vec![0.0; stride];
        for (position, weights) in axis.weights.chunks_mut(stride).enumerate() {
            let centre = (position as f64 + 0.5) * scale;
            // `as usize` truncates and saturates at 0, like Pillow's cast followed by its clamp.
            let first = (centre - support + 0.5) as usize;
            let count = ((centre + support + 0.5) as usize).min(input) - first;
            let mut sum = 0.0;
            for (offset, weight) in exact[..count].iter_mut().enumerate() {
                let distance = ((offset + first) as f64 - centre + 0.5) * inverse;
                *weight = (1.0 - distance.abs()).max(0.0);
                sum += *weight;
            }
            for (weight, exact) in weights.iter_mut().zip(&exact[..count]) {
                let normalised = if sum == 0.0 { *exact } else { exact / sum };
                *weight = (0.5 + normalised * f64::from(1u32 << PRECISION_BITS)) as i32;
            }
            axis.first.push(first);
            axis.count.push(count);
        }
        axis
    }
}

/// Rounds a fixed-point sum to u8.
#[inline(always)]
fn narrow(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Resizes `pixels` (`height` rows of `width` pixels of `CHANNELS` interleaved bytes) to `to_width` x `to_height`.
///
/// # Panics
/// If `pixels` is not `width * height * CHANNELS` long or a side is 0.
pub fn resize<const CHANNELS: usize>(
    pixels: &[u8],
    from: (usize, usize),
    to: (usize, usize),
) -> Vec<u8> {
    let ((width, height), (to_width, to_height)) = (from, to);
    assert!(
        width > 0 && height > 0 && to_width > 0 && to_height > 0,
        "an image side is 0"
    );
    assert_eq!(
        pixels.len(),
        width * height * CHANNELS,
        "pixel buffer does not match its size"
    );
    let horizontal = |pixels: &[u8]| {
        best(Horizontal::<CHANNELS> {
            pixels,
            axis: &Axis::new(width, to_width),
            width,
        })
    };
    let vertical = |pixels: &[u8], width: usize| {
        best(Vertical {
            pixels,
            axis: &Axis::new(height, to_height),
            row_len: width * CHANNELS,
        })
    };
    // A pass whose size does not change is left out; with weights of 1 it would give the same bytes.
    match (to_width != width, to_height != height) {
        (false, false) => pixels.to_vec(),
        (true, false) => horizontal(pixels),
        (false, true) => vertical(pixels, width),
        (true, true) if vertical_first(from, to) => horizontal(&vertical(pixels, width)),
        (true, true) => vertical(&horizontal(pixels), to_width),
    }
}

/// Pillow's choice of the order of the passes.
fn vertical_first((width, height): (usize, usize), (to_width, to_height): (usize, usize)) -> bool {
    height > to_height && (height - to_height) as i64 > (width as i64 - to_width as i64) * 2
}

/// Every row, left to right.
struct Horizontal<'a, const CHANNELS: usize> {
    pixels: &'a [u8],
    axis: &'a Axis,
    width: usize,
}

impl<const CHANNELS: usize> Kernel for Horizontal<'_, CHANNELS> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn run(self) -> Vec<u8> {
        let Self {
            pixels,
            axis,
            width,
        } = self;
        let (row_len, out_len) = (width * CHANNELS, axis.first.len() * CHANNELS);
        let mut out = vec![0; pixels.len() / row_len * out_len];
        // Pixels are taken four bytes at a time: three spare bytes after the last.
        let mut padded = vec![0u8; row_len + 3];
        for (row, out) in pixels
            .chunks_exact(row_len)
            .zip(out.chunks_exact_mut(out_len))
        {
            padded[..row_len].copy_from_slice(row);
            for (position, pixel) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
                let weights = &axis.weights[position * axis.stride..][..axis.count[position]];
                let source = &padded[axis.first[position] * CHANNELS..]
                    [..(weights.len() - 1) * CHANNELS + 4];
                let mut sums = [1i32 << (PRECISION_BITS - 1); 4];
                for (weight, source) in weights.iter().zip(source.windows(4).step_by(CHANNELS)) {
                    for (sum, &value) in sums.iter_mut().zip(source) {
                        *sum += i32::from(value) * weight;
                    }
                }
                for (value, sum) in pixel.iter_mut().zip(sums) {
                    *value = narrow(sum);
                }
            }
        }
        out
    }
}

/// Columns taken together in the vertical pass, so that their sums stay in registers.
const LANES: usize = 32;

/// Every column, top to bottom.
struct Vertical<'a> {
    pixels: &'a [u8],
    axis: &'a Axis,
    row_len: usize,
}

impl Kernel for Vertical<'_> {
    type Output = Vec<u8>;

    #[inline(always)]
    fn run(self) -> Vec<u8> {
        let Self {
            pixels,
            axis,
            row_len,
        } = self;
        let mut out = vec![0; axis.first.len() * row_len];
        for (position, out) in out.chunks_exact_mut(row_len).enumerate() {
            let weights = &axis.weights[position * axis.stride..][..axis.count[position]];
            let rows = &pixels[axis.first[position] * row_len..][..weights.len() * row_len];
            let (blocks, rest) = out.as_chunks_mut::<LANES>();
            let done = blocks.len() * LANES;
            for (number, block) in blocks.iter_mut().enumerate() {
                let mut sums = [1i32 << (PRECISION_BITS - 1); LANES];
                for (row, weight) in rows.chunks_exact(row_len).zip(weights) {
                    for (sum, &value) in sums.iter_mut().zip(&row[number * LANES..][..LANES]) {
                        *sum += i32::from(value) * weight;
                    }
                }
                for (value, sum) in block.iter_mut().zip(sums) {
                    *value = narrow(sum);
                }
            }
            for (column, value) in rest.iter_mut().enumerate() {
                let column = rows.chunks_exact(row_len).map(|row| row[done + column]);
                let sum: i32 = column
                    .zip(weights)
                    .map(|(value, weight)| i32::from(value) * weight)
                    .sum();
                *value = narrow(sum + (1 << (PRECISION_BITS - 1)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_stays_one_colour_at_every_size() {
        for (w, h) in [(1, 1), (3, 7), (100, 40), (257, 255)] {
            let pixels = [7u8, 200, 255].repeat(w * h);
            let out = resize::<3>(&pixels, (w, h), (64, 32));
            assert!(out.chunks(3).all(|p| p == [7, 200, 255]), "{w} x {h}");
        }
    }

    #[test]
    fn halving_a_step_uses_the_widened_triangle() {
        // 4 -> 2 by hand: centre 1, support 2, weights at 0.5, 1.5, 2.5 to the right of 0: 0.75, 0.75, 0.25 over 1.75.
        let out = resize::<1>(&[0, 0, 140, 140], (4, 1), (2, 1));
        assert_eq!(out, [20, 120]);
    }

    #[test]
    fn the_order_of_the_passes_is_pillows() {
        // Sizes measured with Pillow 13.0, all to 256 x 256.
        for (size, expected) in [
            ((248, 373), true),
            ((300, 400), true),
            ((500, 1000), true),
            ((100, 120), false),
            ((700, 900), false),
            ((500, 400), false),
        ] {
            assert_eq!(vertical_first(size, (256, 256)), expected, "{size:?}");
        }
    }

    #[test]
    fn same_size_is_a_copy() {
        let pixels: Vec<u8> = (0..48).collect();
        assert_eq!(resize::<3>(&pixels, (4, 4), (4, 4)), pixels);
    }
}
