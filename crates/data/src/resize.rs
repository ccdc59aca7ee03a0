//! Pillow's BILINEAR resize, bit for bit.
//!
//! Pillow widens the triangle filter by the scale when shrinking (antialiasing), rounds the normalised weights to 22-bit fixed point, and
//! rounds to u8 after the horizontal and again after the vertical pass. All three matter for the bytes.

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
fn narrow(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Resizes `pixels` (`height` rows of `width` pixels of `CHANNELS` interleaved bytes) to `to_width` x `to_height`.
///
/// # Panics
/// If `pixels` is not `width * height * CHANNELS` long or a side is 0.
pub fn resize<const CHANNELS: usize>(
    pixels: &[u8],
    (width, height): (usize, usize),
    (to_width, to_height): (usize, usize),
) -> Vec<u8> {
    assert!(
        width > 0 && height > 0 && to_width > 0 && to_height > 0,
        "an image side is 0"
    );
    assert_eq!(
        pixels.len(),
        width * height * CHANNELS,
        "pixel buffer does not match its size"
    );
    // Pillow skips a pass whose size does not change; a pass of weights 1 would give the same bytes, only slower.
    let mut wide = Vec::new();
    if to_width != width {
        wide = vec![0; to_width * height * CHANNELS];
        let axis = Axis::new(width, to_width);
        for (row, out) in pixels
            .chunks_exact(width * CHANNELS)
            .zip(wide.chunks_exact_mut(to_width * CHANNELS))
        {
            horizontal::<CHANNELS>(row, out, &axis);
        }
    }
    let wide = if to_width == width { pixels } else { &wide };
    if to_height == height {
        return wide.to_vec();
    }
    let row_len = to_width * CHANNELS;
    let mut tall = vec![0; row_len * to_height];
    let axis = Axis::new(height, to_height);
    let mut sums = vec![0i32; row_len];
    for (position, out) in tall.chunks_exact_mut(row_len).enumerate() {
        let rows = wide[axis.first[position] * row_len..].chunks_exact(row_len);
        vertical(
            rows,
            &axis.weights[position * axis.stride..][..axis.count[position]],
            &mut sums,
            out,
        );
    }
    tall
}

/// One row, left to right.
fn horizontal<const CHANNELS: usize>(row: &[u8], out: &mut [u8], axis: &Axis) {
    for (position, pixel) in out.chunks_exact_mut(CHANNELS).enumerate() {
        let weights = &axis.weights[position * axis.stride..][..axis.count[position]];
        let mut sums = [1i32 << (PRECISION_BITS - 1); CHANNELS];
        for (weight, source) in weights
            .iter()
            .zip(row[axis.first[position] * CHANNELS..].chunks_exact(CHANNELS))
        {
            for (sum, &value) in sums.iter_mut().zip(source) {
                *sum += i32::from(value) * weight;
            }
        }
        for (value, sum) in pixel.iter_mut().zip(sums) {
            *value = narrow(sum);
        }
    }
}

/// One output row from the source rows under it.
fn vertical<'a>(
    rows: impl Iterator<Item = &'a [u8]>,
    weights: &[i32],
    sums: &mut [i32],
    out: &mut [u8],
) {
    sums.fill(1 << (PRECISION_BITS - 1));
    for (row, weight) in rows.zip(weights) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += i32::from(value) * weight;
        }
    }
    for (value, &sum) in out.iter_mut().zip(sums.iter()) {
        *value = narrow(sum);
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
    fn same_size_is_a_copy() {
        let pixels: Vec<u8> = (0..48).collect();
        assert_eq!(resize::<3>(&pixels, (4, 4), (4, 4)), pixels);
    }
}
