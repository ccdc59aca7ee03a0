//! From the bytes of a file to grey or RGB values, converted as Pillow does.

mod chunks;
mod convert;
mod directories;
mod file;
mod orientation;
pub(crate) mod pages;
mod raster;

use std::io::Cursor;
use std::path::Path;

use ::image::codecs::{png::PngDecoder, webp::WebPDecoder};
use ::image::error::LimitErrorKind;
use ::image::metadata::Orientation as Turn;
use ::image::{
    AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageError, ImageFormat, ImageReader,
    Limits,
};

use self::chunks::png_chunks;
use self::convert::convert;
use self::orientation::{in_exif, swaps_sides, turn};
pub(crate) use self::raster::{Raster, Values, repeat_grey};
use crate::digest::sha256;
use crate::error::DataError;
use crate::jpeg::{self, JpegError};
use crate::reading::{Orientation, Reading};

/// Greatest number of pixels that is decoded, a quarter of a gibibyte of RGB (Pillow warns from the same number on). Larger images are
/// refused by their header, before any memory is reserved for them.
pub const PIXEL_LIMIT: u64 = (1 << 30) / 12;

/// Buffers that are kept from file to file.
#[derive(Default)]
pub(crate) struct Buffers {
    /// The bytes of the last file.
    pub(crate) file: Vec<u8>,
    /// Room for the pixels of the next image; given back after use.
    pub(crate) pixels: Vec<u8>,
    /// Whether [`sha256`](Self::sha256) is wanted.
    pub(crate) hashes: bool,
    /// That of the last file, in hexadecimal.
    pub(crate) sha256: Option<String>,
}

/// Reads and decodes a file.
pub(crate) fn read_raster(
    path: &Path,
    reading: &Reading,
    buffers: &mut Buffers,
) -> Result<Raster, DataError> {
    file::read(path, &mut buffers.file)?;
    // Before the page is chosen, which changes the bytes of a TIFF file.
    buffers.sha256 = buffers.hashes.then(|| sha256(&buffers.file));
    let room = std::mem::take(&mut buffers.pixels);
    decode(&mut buffers.file, path, reading, room)
}

/// [`read_raster`] from the bytes of a file; `room` is used again for the pixels. Of a TIFF file the page that was read is the first one
/// afterwards.
pub(crate) fn decode(
    bytes: &mut [u8],
    path: &Path,
    reading: &Reading,
    room: Vec<u8>,
) -> Result<Raster, DataError> {
    let opened = Opened::new(bytes, path, reading)?;
    let turn = opened.turn;
    Ok(opened.decode(path, reading, room)?.turned(turn))
}

/// Width and height of a file as [`read_raster`] would return them; no pixel is decoded.
pub(crate) fn read_size(path: &Path, reading: &Reading) -> Result<(usize, usize), DataError> {
    let mut bytes = Vec::new();
    file::read(path, &mut bytes)?;
    size(&mut bytes, path, reading)
}

/// [`read_size`] from the bytes of a file.
pub(crate) fn size(
    bytes: &mut [u8],
    path: &Path,
    reading: &Reading,
) -> Result<(usize, usize), DataError> {
    let opened = Opened::new(bytes, path, reading)?;
    let (width, height) = (opened.width, opened.height);
    Ok(match swaps_sides(opened.turn) {
        true => (height, width),
        false => (width, height),
    })
}

/// A file whose header was read and found good.
struct Opened<'a> {
    width: usize,
    height: usize,
    /// What is left to do for the orientation asked for.
    turn: Turn,
    pixels: Pixels<'a>,
}

/// Where pixels come from.
enum Pixels<'a> {
    Jpeg(&'a [u8]),
    Still(Box<dyn ImageDecoder + 'a>),
    /// A frame, composed from those before it.
    Frame(Frames<'a>, usize),
}

impl<'a> Opened<'a> {
    /// Reads the header; the format is told by the content, not by the extension.
    fn new(bytes: &'a mut [u8], path: &Path, reading: &Reading) -> Result<Self, DataError> {
        let mut opened = if jpeg::is_jpeg(bytes) {
            Self::jpeg(bytes, path, reading)?
        } else {
            Self::other(bytes, path, reading)?
        };
        check_size(opened.width as u64, opened.height as u64, path)?;
        if reading.orientation == Orientation::Ignore {
            opened.turn = Turn::NoTransforms;
        }
        Ok(opened)
    }

    /// JPEG through the decoder of this crate. Further pictures behind the first (previews, gain maps) are no pages.
    fn jpeg(bytes: &'a [u8], path: &Path, reading: &Reading) -> Result<Self, DataError> {
        pages::index(1, reading.page, path)?;
        let header = jpeg::header(bytes).map_err(|error| jpeg_error(error, path))?;
        Ok(Self {
            width: header.width,
            height: header.height,
            turn: turn(header.exif.and_then(in_exif), header.xmp),
            pixels: Pixels::Jpeg(bytes),
        })
    }

    /// The other formats.
    fn other(bytes: &'a mut [u8], path: &Path, reading: &Reading) -> Result<Self, DataError> {
        let fail = |error| image_error(error, path);
        let format = ::image::guess_format(bytes)
            .ok()
            .filter(ImageFormat::reading_enabled);
        let format = format.ok_or_else(|| {
            let reason = if bytes.is_empty() {
                "it is empty"
            } else {
                "its content is not that of a JPEG, PNG, BMP, TIFF or WebP file"
            };
            DataError::unreadable(&path.display(), reason)
        })?;
        if format == ImageFormat::Png {
            check_palette(bytes, path)?;
        }
        let page = pages::choose(bytes, format, reading.page, path)?;
        let bytes: &'a [u8] = bytes;
        // Eight bytes per pixel cover 16-bit RGBA; as much again for the decoder's own buffers.
        let mut limits = Limits::default();
        limits.max_alloc = Some(PIXEL_LIMIT * 16);
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits.clone());
        let mut decoder = reader.into_decoder().map_err(fail)?;
        let (width, height) = decoder.dimensions();
        // Metadata that cannot be read are none.
        let exif = match format {
            ImageFormat::Png => png_chunks(bytes)
                .find(|(kind, _)| *kind == b"eXIf")
                .and_then(|(_, data)| in_exif(data)),
            ImageFormat::WebP => decoder
                .exif_metadata()
                .ok()
                .flatten()
                .and_then(|block| in_exif(&block)),
            _ => page.orientation,
        };
        let xmp = decoder.xmp_metadata().ok().flatten();
        let pixels = match (page.frame, format) {
            (Some(frame), ImageFormat::Png) => {
                let animation =
                    PngDecoder::with_limits(Cursor::new(bytes), limits).and_then(PngDecoder::apng);
                Pixels::Frame(animation.map_err(fail)?.into_frames(), frame)
            }
            (Some(frame), _) => {
                let animation = WebPDecoder::new(Cursor::new(bytes)).map_err(fail)?;
                Pixels::Frame(animation.into_frames(), frame)
            }
            (None, _) => Pixels::Still(Box::new(decoder)),
        };
        Ok(Self {
            width: width as usize,
            height: height as usize,
            turn: turn(exif, xmp.as_deref()),
            pixels,
        })
    }

    /// Decodes the pixels.
    fn decode(self, path: &Path, reading: &Reading, room: Vec<u8>) -> Result<Raster, DataError> {
        let fail = |error| image_error(error, path);
        let (values, largest) = match self.pixels {
            Pixels::Jpeg(bytes) => {
                let pixels = jpeg::decode(bytes, room)
                    .map_err(|error| jpeg_error(error, path))?
                    .pixels;
                let grey = pixels.len() == self.width * self.height;
                (
                    if grey {
                        Values::Grey(pixels)
                    } else {
                        Values::Rgb(pixels)
                    },
                    None,
                )
            }
            Pixels::Still(decoder) => convert(
                DynamicImage::from_decoder(decoder).map_err(fail)?,
                reading,
                path,
            )?,
            Pixels::Frame(mut frames, number) => {
                let frame = frames.nth(number).ok_or_else(|| {
                    DataError::unreadable(&path.display(), "the animation ends before that frame")
                })?;
                convert(frame.map_err(fail)?.into_buffer().into(), reading, path)?
            }
        };
        Ok(Raster {
            width: self.width,
            height: self.height,
            values,
            largest,
        })
    }
}

/// Refuses a PNG palette that is not of whole colours, on which the decoder panics.
fn check_palette(bytes: &[u8], path: &Path) -> Result<(), DataError> {
    let mut palettes = png_chunks(bytes).filter(|(kind, _)| *kind == b"PLTE");
    match palettes.all(|(_, colours)| colours.len().is_multiple_of(3)) {
        true => Ok(()),
        false => Err(DataError::unreadable(
            &path.display(),
            "its palette is damaged: a colour is cut off",
        )),
    }
}

fn jpeg_error(error: JpegError, path: &Path) -> DataError {
    match error {
        JpegError::Unsupported(kind) => unsupported(path, kind),
        other => DataError::unreadable(&path.display(), other),
    }
}

fn image_error(error: ImageError, path: &Path) -> DataError {
    match error {
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
    }
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

/// An image of a kind that is not converted.
fn unsupported(path: &Path, kind: String) -> DataError {
    DataError::Unsupported {
        image: path.display().to_string(),
        kind,
    }
}
