//! Pillow's BILINEAR resize, bit for bit.
//!
//! Pillow widens the triangle filter by the scale when shrinking (antialiasing), rounds the normalised weights to 22-bit fixed point, and
//! rounds to u8 after each of the two passes. All three matter for the bytes, and so does the order of the passes: horizontal first,
//! except, in Pillow 13.0, when the height shrinks by more than twice as many pixels as the width.

mod axis;
mod passes;

use crate::simd::best;
use axis::Axis;
use passes::{Horizontal, Rows, Vertical};

/// Width and height in pixels.
type Size = (usize, usize);

/// Resizes `pixels` (`height` rows of `width` pixels of `CHANNELS` interleaved bytes) to `to_width` x `to_height`.
///
/// # Panics
/// If `pixels` is not `width * height * CHANNELS` long or a side is 0.
pub fn resize<const CHANNELS: usize>(
    pixels: &[u8],
    (width, height): Size,
    (to_width, to_height): Size,
) -> Vec<u8> {
    let mut out = vec![0; to_width * to_height * CHANNELS];
    Resizer::default().resize::<CHANNELS>(pixels, (width, height), (to_width, to_height), &mut out);
    out
}

/// Resizes many images with the same buffers.
#[derive(Default)]
pub(crate) struct Resizer {
    horizontal: Option<(Size, Axis)>,
    vertical: Option<(Size, Axis)>,
    rows: Rows,
    between: Vec<u8>,
}

impl Resizer {
    /// [`resize`] into `out`.
    pub(crate) fn resize<const CHANNELS: usize>(
        &mut self,
        pixels: &[u8],
        from: Size,
        to: Size,
        out: &mut [u8],
    ) {
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
        let across = cached(&mut self.horizontal, (width, to_width));
        let down = cached(&mut self.vertical, (height, to_height));
        let rows = &mut self.rows;
        // A pass whose size does not change is left out; with weights of 1 it would give the same bytes.
        match (to_width != width, to_height != height) {
            (false, false) => out.copy_from_slice(pixels),
            (true, false) => best(Horizontal::<CHANNELS> {
                pixels,
                axis: across,
                width,
                rows,
                out,
            }),
            (false, true) => best(Vertical {
                pixels,
                axis: down,
                row_len: width * CHANNELS,
                out,
            }),
            (true, true) if vertical_first(from, to) => {
                self.between.resize(width * to_height * CHANNELS, 0);
                best(Vertical {
                    pixels,
                    axis: down,
                    row_len: width * CHANNELS,
                    out: &mut self.between,
                });
                best(Horizontal::<CHANNELS> {
                    pixels: &self.between,
                    axis: across,
                    width,
                    rows,
                    out,
                });
            }
            (true, true) => {
                self.between.resize(to_width * height * CHANNELS, 0);
                best(Horizontal::<CHANNELS> {
                    pixels,
                    axis: across,
                    width,
                    rows,
                    out: &mut self.between,
                });
                best(Vertical {
                    pixels: &self.between,
                    axis: down,
                    row_len: to_width * CHANNELS,
                    out,
                });
            }
        }
    }
}

/// The axis for (input, output) positions, made anew only when they change.
fn cached(slot: &mut Option<(Size, Axis)>, size: Size) -> &Axis {
    if slot.as_ref().is_some_and(|(known, _)| *known != size) {
        *slot = None;
    }
    &slot
        .get_or_insert_with(|| (size, Axis::new(size.0, size.1)))
        .1
}

/// Pillow's choice of the order of the passes.
fn vertical_first((width, height): Size, (to_width, to_height): Size) -> bool {
    height > to_height && (height - to_height) as i64 > (width as i64 - to_width as i64) * 2
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
