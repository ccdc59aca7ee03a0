//! Pictures that are small enough to be part of a page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageBuffer, ImageEncoder, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// Of JPEG, from 1 to 100.
const QUALITY: u8 = 82;

/// An image of the gallery: its picture, and what the model sees in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Its position among the test images.
    pub image: usize,
    /// The picture, or why there is none.
    pub picture: Result<Shrunk, String>,
    /// Heat over it, a picture of the same size (PNG), if the model tells places.
    pub heat: Option<Vec<u8>>,
    /// Lines along which the map reaches the pixel threshold, in pixels of the picture.
    pub contours: Vec<Line>,
    /// The edges of what the mask marks, in pixels of the picture.
    pub mask: Vec<Line>,
}

/// A closed line: `[x, y]` of its corners.
pub type Line = Vec<[f32; 2]>;

/// A picture that was made small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shrunk {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// A JPEG file.
    pub jpeg: Vec<u8>,
}

/// A picture cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The buffer is not that of a picture of the size.
    #[error("a picture of {width} x {height} pixels does not have {bytes} bytes")]
    Size {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Length of the buffer.
        bytes: usize,
    },
    /// The JPEG encoder.
    #[error("cannot write a picture as JPEG")]
    Jpeg(#[source] image::ImageError),
    /// The PNG encoder.
    #[error("cannot write a picture as PNG")]
    Png(#[source] png::EncodingError),
}

/// Makes a picture (`[height, width, 3]`, RGB) small, so that its longer side has at most `side` pixels.
///
/// # Errors
/// [`PictureError`] if the sizes do not fit or it cannot be encoded.
pub fn shrink(
    pixels: &[u8],
    [width, height]: [usize; 2],
    side: usize,
) -> Result<Shrunk, PictureError> {
    let wrong = || PictureError::Size {
        width,
        height,
        bytes: pixels.len(),
    };
    let longer = width.max(height);
    if pixels.len() != 3 * width * height || width.min(height) == 0 {
        return Err(wrong());
    }
    let picture: ImageBuffer<Rgb<u8>, &[u8]> =
        ImageBuffer::from_raw(width as u32, height as u32, pixels).ok_or_else(wrong)?;
    let scaled = |length: usize| match longer > side {
        true => (length * side / longer).max(1),
        false => length,
    };
    let (width, height) = (scaled(width), scaled(height));
    let small: RgbImage = resize(&picture, width as u32, height as u32, FilterType::Triangle);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .write_image(
            small.as_raw(),
            width as u32,
            height as u32,
            ExtendedColorType::Rgb8,
        )
        .map_err(PictureError::Jpeg)?;
    Ok(Shrunk {
        width,
        height,
        jpeg,
    })
}

/// A picture of numbers of colours, with opacity, as PNG. Smooth ones take a fraction of what their colours would take.
///
/// # Errors
/// [`PictureError`] if the sizes do not fit or it cannot be encoded.
pub fn indexed_png(
    indices: &[u8],
    [width, height]: [usize; 2],
    palette: &[[u8; 4]; 256],
) -> Result<Vec<u8>, PictureError> {
    if indices.len() != width * height {
        return Err(PictureError::Size {
            width,
            height,
            bytes: indices.len(),
        });
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    let colours: Vec<u8> = palette
        .iter()
        .flat_map(|[r, g, b, _]| [*r, *g, *b])
        .collect();
    encoder.set_palette(colours);
    encoder.set_trns(
        palette
            .iter()
            .map(|[.., alpha]| *alpha)
            .collect::<Vec<u8>>(),
    );
    let mut writer = encoder.write_header().map_err(PictureError::Png)?;
    writer
        .write_image_data(indices)
        .map_err(PictureError::Png)?;
    writer.finish().map_err(PictureError::Png)?;
    Ok(bytes)
}

/// A file as part of a page.
pub(crate) fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pictures_keep_their_shape() {
        let small = shrink(&[90; 3 * 200 * 100], [200, 100], 50).unwrap();
        assert_eq!((small.width, small.height), (50, 25));
        let read = image::load_from_memory(&small.jpeg).unwrap();
        assert_eq!((read.width(), read.height()), (50, 25));
        let thin = shrink(&[0; 3 * 1000], [1000, 1], 50).unwrap();
        assert_eq!((thin.width, thin.height), (50, 1));
        assert!(shrink(&[0; 5], [1, 1], 50).is_err());
    }

    #[test]
    fn colours_of_a_palette_come_back() {
        let mut palette = [[0; 4]; 256];
        palette[7] = [1, 2, 3, 4];
        let bytes = indexed_png(&[0, 7], [2, 1], &palette).unwrap();
        let read = image::load_from_memory(&bytes).unwrap().to_rgba8();
        assert_eq!(read.as_raw()[4..], [1, 2, 3, 4]);
        assert!(indexed_png(&[0], [2, 1], &palette).is_err());
    }
}
