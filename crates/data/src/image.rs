//! From a file to a square of u8 RGB.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use ckaad_files::FileError;

use crate::decode::{
    Buffers, PIXEL_LIMIT, Raster, Values, pages, read_raster, read_size, repeat_grey,
};
use crate::digest::sha256;
use crate::error::DataError;
use crate::reading::{Reading, SixteenBit};
use crate::resize::{Resizer, resize};
use crate::sample::Source;

/// Side of a CIFAR-10 record.
const RECORD_SIDE: usize = 32;

/// Bytes that decoding takes for each pixel at the most: those of a progressive JPEG file with its coefficients and planes at full size.
pub const DECODING_BYTES: u64 = 12;

/// Largest buffer in bytes that is kept from image to image.
const ROOM_KEPT: usize = 64 << 20;

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

/// Decodes an image, converts it to RGB as Pillow's `convert("RGB")` does, and resizes it to `size` x `size`. Read as published data sets
/// are ([`Reading::default`]); [`Loader::new`] takes another reading.
///
/// # Errors
/// [`DataError::File`], [`DataError::Unreadable`], [`DataError::Unsupported`], [`DataError::Pages`] or [`DataError::TooLarge`], each naming
/// the file.
pub fn load_image(source: &Source, size: usize) -> Result<Image, DataError> {
    let mut pixels = vec![0; size * size * 3];
    Loader::default().load(source, size, &mut pixels)?;
    Ok(Image { size, pixels })
}

/// Loads many images with the same buffers.
#[derive(Default)]
pub struct Loader {
    reading: Reading,
    sixteen_bit: SixteenBit,
    buffers: Buffers,
    resizer: Resizer,
    grey: Vec<u8>,
}

impl Loader {
    /// Images are read as `reading` says.
    pub fn new(reading: Reading) -> Self {
        Self {
            reading,
            ..Self::default()
        }
    }

    /// The 16-bit images loaded since the last call.
    pub fn take_sixteen_bit(&mut self) -> SixteenBit {
        std::mem::take(&mut self.sixteen_bit)
    }

    /// Decodes an image at its own size and converts it to RGB.
    ///
    /// # Errors
    /// As [`load_image`].
    pub fn load_picture(&mut self, source: &Source) -> Result<Picture, DataError> {
        self.raster(source).map(Picture::from)
    }

    /// [`load_image`] into `out`.
    ///
    /// # Shapes
    /// `out` is [size, size, 3].
    ///
    /// # Errors
    /// As [`load_image`].
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn load(&mut self, source: &Source, size: usize, out: &mut [u8]) -> Result<(), DataError> {
        let (Values::Rgb(pixels) | Values::Grey(pixels)) =
            self.raster_and_square(source, size, out)?.values;
        // Room of ordinary images is kept, that of a giant is not.
        if pixels.capacity() <= ROOM_KEPT {
            self.buffers.pixels = pixels;
        }
        if self.buffers.file.capacity() > ROOM_KEPT {
            self.buffers.file = Vec::new();
        }
        Ok(())
    }

    /// [`load`](Self::load), and the SHA-256 of what was read in hexadecimal: of the file, or of the pixels of a record.
    pub(crate) fn load_and_hash(
        &mut self,
        source: &Source,
        size: usize,
        out: &mut [u8],
    ) -> Result<Option<String>, DataError> {
        self.buffers.hashes = true;
        self.load(source, size, out)?;
        Ok(self.buffers.sha256.take())
    }

    /// [`load`](Self::load), and the image at its own size.
    ///
    /// # Errors
    /// As [`load_image`].
    ///
    /// # Panics
    /// As [`load`](Self::load).
    pub fn load_with_picture(
        &mut self,
        source: &Source,
        size: usize,
        out: &mut [u8],
    ) -> Result<Picture, DataError> {
        self.raster_and_square(source, size, out).map(Picture::from)
    }

    /// Decodes, and resizes into `out`.
    fn raster_and_square(
        &mut self,
        source: &Source,
        size: usize,
        out: &mut [u8],
    ) -> Result<Raster, DataError> {
        if size == 0 {
            return Err(DataError::Parameter {
                name: "image_size",
                value: "0".into(),
                reason: "must be at least 1".into(),
            });
        }
        let raster = self.raster(source)?;
        let (from, to) = ((raster.width, raster.height), (size, size));
        match &raster.values {
            Values::Rgb(pixels) => self.resizer.resize::<3>(pixels, from, to, out),
            // Equal channels stay equal: resize one and repeat it.
            Values::Grey(pixels) => {
                self.grey.resize(size * size, 0);
                self.resizer.resize::<1>(pixels, from, to, &mut self.grey);
                repeat_grey(&self.grey, out);
            }
        }
        Ok(raster)
    }

    /// The values of a source at their own size.
    fn raster(&mut self, source: &Source) -> Result<Raster, DataError> {
        let raster = match source {
            Source::File(path) => read_raster(path, &self.reading, &mut self.buffers)?,
            Source::Record { file, offset, .. } => {
                pages::index(1, self.reading.page, file)?;
                let raster = read_record(file, *offset, source)?;
                if let Values::Rgb(pixels) = &raster.values {
                    self.buffers.sha256 = self.buffers.hashes.then(|| sha256(pixels));
                }
                raster
            }
        };
        if let Some(largest) = raster.largest {
            self.sixteen_bit.merge(SixteenBit { images: 1, largest });
        }
        Ok(raster)
    }
}

impl From<Raster> for Picture {
    fn from(raster: Raster) -> Self {
        Self {
            width: raster.width,
            height: raster.height,
            pixels: raster.into_rgb(),
        }
    }
}

/// Decodes an image at its own size and converts it to RGB; read as [`load_image`] does.
///
/// # Errors
/// As [`load_image`].
pub fn load_picture(source: &Source) -> Result<Picture, DataError> {
    Loader::default().load_picture(source)
}

/// Width and height of the [`Picture`] that a [`Loader`] would make: of the page chosen, turned if that is asked for. Reads the file, but
/// decodes no pixel.
///
/// # Errors
/// As [`load_image`], as far as the header tells.
pub fn picture_size(source: &Source, reading: &Reading) -> Result<(usize, usize), DataError> {
    match source {
        Source::File(path) => read_size(path, reading),
        Source::Record { .. } => Ok((RECORD_SIDE, RECORD_SIDE)),
    }
}

/// Pixels of an image as its header states them, to plan memory with: decoding takes at most [`DECODING_BYTES`] for each. No more than
/// [`PIXEL_LIMIT`], over which images are refused; so many, too, if the header does not tell.
pub fn pixel_count(source: &Source) -> u64 {
    let stated = match source {
        // Opening a named pipe would wait for its other end.
        Source::File(path) => std::fs::metadata(path)
            .is_ok_and(|meta| meta.is_file())
            .then(|| imagesize::size(path).ok())
            .flatten()
            .and_then(|size| (size.width as u64).checked_mul(size.height as u64)),
        Source::Record { .. } => Some((RECORD_SIDE * RECORD_SIDE) as u64),
    };
    stated.map_or(PIXEL_LIMIT, |pixels| pixels.min(PIXEL_LIMIT))
}

/// One CIFAR-10 record: three planes of 32 x 32.
fn read_record(file: &Path, offset: u64, source: &Source) -> Result<Raster, DataError> {
    let mut planes = [0u8; RECORD_SIDE * RECORD_SIDE * 3];
    // Opening a named pipe would wait for its other end.
    if std::fs::metadata(file).is_ok_and(|meta| !meta.is_file()) {
        let path = file.to_path_buf();
        return Err(FileError::NotAFile { path }.into());
    }
    let mut reader = File::open(file).map_err(FileError::io("open the file", file))?;
    reader
        .seek(SeekFrom::Start(offset))
        .map_err(FileError::io("read the file", file))?;
    reader
        .read_exact(&mut planes)
        .map_err(|error| DataError::unreadable(source, error))?;
    let plane = RECORD_SIDE * RECORD_SIDE;
    let rgb = (0..plane)
        .flat_map(|i| [planes[i], planes[plane + i], planes[2 * plane + i]])
        .collect();
    Ok(Raster {
        width: RECORD_SIDE,
        height: RECORD_SIDE,
        values: Values::Rgb(rgb),
        largest: None,
    })
}
