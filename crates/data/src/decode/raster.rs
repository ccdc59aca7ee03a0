//! Decoded values, and the conversions that Pillow makes of them.

use ::image::metadata::Orientation as Turn;

use super::orientation::swaps_sides;

/// Decoded values of an image of any shape.
pub(crate) struct Raster {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Values,
    /// The largest value of a 16-bit image, before it became a byte.
    pub(crate) largest: Option<u16>,
}

/// Row by row, one or three bytes per pixel.
pub(crate) enum Values {
    /// Grey: red, green and blue are equal.
    Grey(Vec<u8>),
    /// Red, green, blue.
    Rgb(Vec<u8>),
}

impl Raster {
    /// The raster turned.
    pub(super) fn turned(self, turn: Turn) -> Self {
        if turn == Turn::NoTransforms {
            return self;
        }
        let from = (self.width, self.height);
        let (width, height) = match swaps_sides(turn) {
            true => (self.height, self.width),
            false => from,
        };
        let values = match self.values {
            Values::Grey(grey) => Values::Grey(turned::<1>(&grey, from, (width, height), turn)),
            Values::Rgb(rgb) => Values::Rgb(turned::<3>(&rgb, from, (width, height), turn)),
        };
        Self {
            width,
            height,
            values,
            ..self
        }
    }

    /// As Pillow's `convert("RGB")`.
    pub(crate) fn into_rgb(self) -> Vec<u8> {
        match self.values {
            Values::Rgb(rgb) => rgb,
            Values::Grey(grey) => {
                let mut rgb = vec![0; grey.len() * 3];
                repeat_grey(&grey, &mut rgb);
                rgb
            }
        }
    }

    /// As Pillow's `convert("L")`: ITU-R 601-2 luma in 16-bit fixed point.
    pub(crate) fn into_grey(self) -> Vec<u8> {
        match self.values {
            Values::Grey(grey) => grey,
            Values::Rgb(rgb) => rgb
                .as_chunks::<3>()
                .0
                .iter()
                .map(|pixel| luma(pixel.map(u32::from)))
                .collect(),
        }
    }
}

/// 0.299 r + 0.587 g + 0.114 b, rounded as Pillow rounds.
fn luma([r, g, b]: [u32; 3]) -> u8 {
    ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8
}

/// Each grey value three times.
pub(crate) fn repeat_grey(grey: &[u8], rgb: &mut [u8]) {
    for (pixel, &value) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(grey) {
        *pixel = [value; 3];
    }
}

/// Pixels of `N` bytes in their new order.
fn turned<const N: usize>(
    pixels: &[u8],
    (w, h): (usize, usize),
    (width, height): (usize, usize),
    turn: Turn,
) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<N>();
    let mut out = Vec::with_capacity(pixels.len() * N);
    for y in 0..height {
        for x in 0..width {
            let (column, row) = match turn {
                Turn::NoTransforms => (x, y),
                Turn::FlipHorizontal => (w - 1 - x, y),
                Turn::Rotate180 => (w - 1 - x, h - 1 - y),
                Turn::FlipVertical => (x, h - 1 - y),
                Turn::Rotate90FlipH => (y, x),
                Turn::Rotate90 => (y, h - 1 - x),
                Turn::Rotate270FlipH => (w - 1 - y, h - 1 - x),
                Turn::Rotate270 => (w - 1 - y, x),
            };
            out.extend(pixels[row * w + column]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_matches_pillow() {
        // PIL.Image.new("RGB", (1, 1), c).convert("L") of Pillow 13.
        for (colour, grey) in [
            ([1, 2, 3], 2),
            ([200, 100, 50], 124),
            ([9, 8, 7], 8),
            ([18, 52, 86], 46),
            ([255, 255, 255], 255),
        ] {
            assert_eq!(luma(colour), grey, "{colour:?}");
        }
    }
}
