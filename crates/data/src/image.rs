//! From a file to a square of u8 RGB.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use ::image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageReader};

use crate::error::DataError;
use crate::resize::resize;
use crate::sample::Source;

/// Greatest number of pixels that is decoded: 120 million, 360 MB of RGB. Whole-slide scans are cut into tiles long before.
pub const PIXEL_LIMIT: u64 = 120_000_000;
/// Greatest size of an image file that is read into memory.
const FILE_LIMIT: u64 = 1 << 30;
/// Side of a CIFAR-10 record.
const RECORD_SIDE: usize = 32;

/// A square RGB image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Width and height.
    pub size: usize,
    /// `size * size * 3` bytes: rows, then columns, then red, green, blue.
    pub pixels: Vec<u8>,
}

/// An image of any shape, as decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height * width * 3` bytes, RGB interleaved.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Pillow-exact BILINEAR straight to a square, without cropping.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn to_square(&self, size: usize) -> Image {
        Image {
            size,
            pixels: resize::<3>(&self.pixels, (self.width, self.height), (size, size)),
        }
    }
}

/// Decodes an image, converts it to RGB as Pillow's `convert("RGB")` does, and resizes it to `size` x `size`.
///
/// # Errors
/// [`DataError::Io`], [`DataError::Unreadable`], [`DataError::Unsupported`] or [`DataError::TooLarge`], each naming the file.
pub fn load_image(source: &Source, size: usize) -> Result<Image, DataError> {
    if size == 0 {
        return Err(DataError::Parameter {
            name: "image_size",
            value: "0".into(),
            reason: "must be at least 1".into(),
        });
    }
    Ok(load_picture(source)?.to_square(size))
}

/// Decodes an image at its own size and converts it to RGB.
///
/// # Errors
/// As [`load_image`].
pub fn load_picture(source: &Source) -> Result<Picture, DataError> {
    match source {
        Source::File(path) => decode(&read(path)?, path),
        Source::Record { file, offset, .. } => read_record(file, *offset, source),
    }
}

/// Reads a whole file of sane size.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut file = File::open(path).map_err(DataError::io(path))?;
    let meta = file.metadata().map_err(DataError::io(path))?;
    if !meta.is_file() {
        return Err(DataError::unreadable(&path.display(), "not a regular file"));
    }
    if meta.len() > FILE_LIMIT {
        return Err(DataError::unreadable(
            &path.display(),
            format!("{} bytes are over the limit of {FILE_LIMIT}", meta.len()),
        ));
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    file.read_to_end(&mut bytes).map_err(DataError::io(path))?;
    Ok(bytes)
}

/// Decodes the bytes of a file; the format is told by the content, not by the extension.
fn decode(bytes: &[u8], path: &Path) -> Result<Picture, DataError> {
    let image = decode_dynamic(bytes, path)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(Picture {
        width,
        height,
        pixels: to_rgb(image, path)?,
    })
}

/// Decodes after checking the header against [`PIXEL_LIMIT`].
pub(crate) fn decode_dynamic(bytes: &[u8], path: &Path) -> Result<DynamicImage, DataError> {
    let fail = |error: ImageError| match error {
        ImageError::Unsupported(kind) => DataError::Unsupported {
            image: path.display().to_string(),
            kind: kind.to_string(),
        },
        other => DataError::unreadable(&path.display(), other),
    };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(DataError::io(path))?;
    if reader.format().is_none() {
        return Err(DataError::unreadable(
            &path.display(),
            "its content is not that of a JPEG, PNG, BMP, TIFF or WebP file",
        ));
    }
    let decoder = reader.into_decoder().map_err(fail)?;
    let (width, height) = decoder.dimensions();
    check_size(u64::from(width), u64::from(height), path)?;
    DynamicImage::from_decoder(decoder).map_err(fail)
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

/// Pillow's conversions: grey is repeated, alpha dropped, 16-bit colour keeps its high byte.
fn to_rgb(image: DynamicImage, path: &Path) -> Result<Vec<u8>, DataError> {
    Ok(match image {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageLuma8(image) => image.iter().flat_map(|&v| [v, v, v]).collect(),
        DynamicImage::ImageLumaA8(image) => image
            .chunks_exact(2)
            .flat_map(|p| [p[0], p[0], p[0]])
            .collect(),
        DynamicImage::ImageRgba8(image) => image
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .collect(),
        DynamicImage::ImageRgb16(image) => image.iter().map(|&v| (v >> 8) as u8).collect(),
        DynamicImage::ImageRgba16(image) => image
            .chunks_exact(4)
            .flat_map(|p| [p[0], p[1], p[2]])
            .map(|v| (v >> 8) as u8)
            .collect(),
        DynamicImage::ImageLumaA16(image) => image
            .chunks_exact(2)
            .flat_map(|p| [p[0]; 3])
            .map(|v| (v >> 8) as u8)
            .collect(),
        DynamicImage::ImageLuma16(image) => image
            .iter()
            .flat_map(|&v| [v; 3])
            .map(|v| (v >> 8) as u8)
            .collect(),
        other => return Err(unsupported(other.color(), path)),
    })
}

/// The error for pixel formats outside the table above.
pub(crate) fn unsupported(color: ColorType, path: &Path) -> DataError {
    DataError::Unsupported {
        image: path.display().to_string(),
        kind: format!("{color:?}"),
    }
}

/// One CIFAR-10 record: three planes of 32 x 32.
fn read_record(file: &Path, offset: u64, source: &Source) -> Result<Picture, DataError> {
    let mut planes = [0u8; RECORD_SIDE * RECORD_SIDE * 3];
    let mut reader = File::open(file).map_err(DataError::io(file))?;
    reader
        .seek(SeekFrom::Start(offset))
        .map_err(DataError::io(file))?;
    reader
        .read_exact(&mut planes)
        .map_err(|error| DataError::unreadable(source, error))?;
    let plane = RECORD_SIDE * RECORD_SIDE;
    let pixels = (0..plane)
        .flat_map(|i| [planes[i], planes[plane + i], planes[2 * plane + i]])
        .collect();
    Ok(Picture {
        width: RECORD_SIDE,
        height: RECORD_SIDE,
        pixels,
    })
}
