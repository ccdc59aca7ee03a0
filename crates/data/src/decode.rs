//! From the bytes of a file to grey or RGB values, converted as Pillow does.

use std::io::Cursor;
use std::path::Path;

use ::image::error::LimitErrorKind;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use ckaad_files::FileError;

use crate::error::DataError;
use crate::jpeg::{self, JpegError};

/// Greatest number of pixels that is decoded, a quarter of a gibibyte of RGB (Pillow warns from the same number on). Larger images are
/// refused by their header, before any memory is reserved for them.
pub const PIXEL_LIMIT: u64 = (1 << 30) / 12;
/// Greatest size of an image file that is read into memory.
const FILE_LIMIT: u64 = 1 << 30;

/// Decoded values of an image of any shape.
pub(crate) struct Raster {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Values,
}

/// Row by row, one or three bytes per pixel.
pub(crate) enum Values {
    /// Grey: red, green and blue are equal.
    Grey(Vec<u8>),
    /// Red, green, blue.
    Rgb(Vec<u8>),
}

impl Raster {
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

/// Buffers that are kept from file to file.
#[derive(Default)]
pub(crate) struct Buffers {
    file: Vec<u8>,
    /// Room for the pixels of the next image; given back after use.
    pub(crate) pixels: Vec<u8>,
}

/// Reads and decodes a file.
pub(crate) fn decode_file(path: &Path, buffers: &mut Buffers) -> Result<Raster, DataError> {
    ckaad_files::read_into(path, FILE_LIMIT, &mut buffers.file)?;
    decode(&buffers.file, path, std::mem::take(&mut buffers.pixels))
}

/// Decodes the bytes of a file; the format is told by the content, not by the extension.
fn decode(bytes: &[u8], path: &Path, room: Vec<u8>) -> Result<Raster, DataError> {
    if jpeg::is_jpeg(bytes) {
        decode_jpeg(bytes, path, room)
    } else {
        decode_other(bytes, path)
    }
}

/// JPEG through the decoder of this crate.
fn decode_jpeg(bytes: &[u8], path: &Path, room: Vec<u8>) -> Result<Raster, DataError> {
    let fail = |error: JpegError| match error {
        JpegError::Unsupported(kind) => unsupported(path, kind),
        other => DataError::unreadable(&path.display(), other),
    };
    let (width, height) = jpeg::dimensions(bytes).map_err(fail)?;
    check_size(width as u64, height as u64, path)?;
    let decoded = jpeg::decode(bytes, room).map_err(fail)?;
    let grey = decoded.pixels.len() == width * height;
    let values = if grey {
        Values::Grey(decoded.pixels)
    } else {
        Values::Rgb(decoded.pixels)
    };
    Ok(Raster {
        width,
        height,
        values,
    })
}

/// The other formats.
fn decode_other(bytes: &[u8], path: &Path) -> Result<Raster, DataError> {
    let fail = |error: ImageError| match error {
        ImageError::Unsupported(kind) => unsupported(path, kind.to_string()),
        ImageError::Limits(limit)
            if matches!(
                limit.kind(),
                LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory
            ) =>
        {
            DataError::unreadable(
                &path.display(),
                "decoding it would need more memory than the limit for images",
            )
        }
        other => DataError::unreadable(&path.display(), other),
    };
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(FileError::io("read the file", path))?;
    if reader.format().is_none() {
        let reason = if bytes.is_empty() {
            "it is empty"
        } else {
            "its content is not that of a JPEG, PNG, BMP, TIFF or WebP file"
        };
        return Err(DataError::unreadable(&path.display(), reason));
    }
    // Eight bytes per pixel cover 16-bit RGBA; as much again for the decoder's own buffers.
    let mut limits = Limits::default();
    limits.max_alloc = Some(PIXEL_LIMIT * 16);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(fail)?;
    let (width, height) = decoder.dimensions();
    check_size(u64::from(width), u64::from(height), path)?;
    let image = DynamicImage::from_decoder(decoder).map_err(fail)?;
    Ok(Raster {
        width: width as usize,
        height: height as usize,
        values: convert(image, path)?,
    })
}

/// Refuses empty and oversized images by their header.
fn check_size(width: u64, height: u64, path: &Path) -> Result<(), DataError> {
    if width == 0 || height == 0 {
        return Err(DataError::unreadable(
            &path.display(),
            format!("it is {width} x {height} pixels"),
        ));
    }
    if width.saturating_mul(height) > PIXEL_LIMIT {
        return Err(DataError::TooLarge {
            image: path.display().to_string(),
            width,
            height,
            limit: PIXEL_LIMIT,
        });
    }
    Ok(())
}

/// Pillow's conversions: alpha is dropped, 16-bit colour keeps its high byte, palettes were already looked up.
///
/// 16-bit grey is refused: Pillow would cut all values at 255, which leaves a white picture of most scans and fails silently.
fn convert(image: DynamicImage, path: &Path) -> Result<Values, DataError> {
    let high = |value: u16| (value >> 8) as u8;
    Ok(match image {
        DynamicImage::ImageLuma8(image) => Values::Grey(image.into_raw()),
        DynamicImage::ImageLumaA8(image) => Values::Grey(
            image
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&[grey, _]| grey)
                .collect(),
        ),
        DynamicImage::ImageLumaA16(image) => Values::Grey(
            image
                .as_chunks::<2>()
                .0
                .iter()
                .map(|&[grey, _]| high(grey))
                .collect(),
        ),
        DynamicImage::ImageRgb8(image) => Values::Rgb(image.into_raw()),
        DynamicImage::ImageRgba8(image) => Values::Rgb(
            image
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|&[r, g, b, _]| [r, g, b])
                .collect(),
        ),
        DynamicImage::ImageRgb16(image) => {
            Values::Rgb(image.iter().map(|&value| high(value)).collect())
        }
        DynamicImage::ImageRgba16(image) => Values::Rgb(
            image
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|&[r, g, b, _]| [r, g, b].map(high))
                .collect(),
        ),
        DynamicImage::ImageLuma16(_) => {
            let kind = "16-bit grey images (which Pillow would cut off at 255 instead of scaling)";
            return Err(unsupported(path, kind.into()));
        }
        other => {
            return Err(unsupported(
                path,
                format!("images of type {:?}", other.color()),
            ));
        }
    })
}

/// An image of a kind that is not converted.
fn unsupported(path: &Path, kind: String) -> DataError {
    DataError::Unsupported {
        image: path.display().to_string(),
        kind,
    }
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
