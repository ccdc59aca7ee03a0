//! A JPEG decoder whose output equals libjpeg-turbo's, byte for byte, at its default settings (accurate integer IDCT, "fancy" chroma
//! up-sampling). General-purpose decoders in Rust choose other roundings; with pretrained features and published figures at stake, the
//! decoder is part of the experiment.
//!
//! Sequential and progressive Huffman files of 8 bits, 1, 3 or 4 components, are decoded. Other processes (arithmetic, lossless,
//! hierarchical, 12 bits) are refused by name. Damaged and truncated files are errors, never half-grey pictures.

mod bits;
mod colour;
mod frame;
mod huffman;
mod idct;
mod markers;
mod progressive;
mod reader;
mod scan;
mod tables;
mod upsample;

use colour::Colour;
use frame::Frame;
use markers::Parser;

/// Why a JPEG file is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum JpegError {
    /// The file ends too early.
    #[error("the file is truncated")]
    Truncated,
    /// The file breaks the format.
    #[error("the file is damaged: {0}")]
    Corrupt(&'static str),
    /// A valid file of a kind that is not decoded.
    #[error("{0}")]
    Unsupported(String),
}

/// Pixels of a decoded file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// `height * width` grey values or `height * width * 3` RGB values.
    pub(crate) pixels: Vec<u8>,
}

/// True for bytes that start like a JPEG file.
pub(crate) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF])
}

/// What comes before the pixels.
pub(crate) struct Header<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The first block of EXIF.
    pub(crate) exif: Option<&'a [u8]>,
    /// The first block of XMP.
    pub(crate) xmp: Option<&'a [u8]>,
}

/// Reads the header.
pub(crate) fn header(bytes: &[u8]) -> Result<Header<'_>, JpegError> {
    let mut parser = Parser::new(bytes)?;
    let frame = parser.read_frame_header()?;
    let (exif, xmp) = parser.metadata();
    Ok(Header {
        width: frame.width,
        height: frame.height,
        exif,
        xmp,
    })
}

/// Decodes a whole file, reusing the memory of `room`. Check [`header`] first: memory grows with the sides that it states.
pub(crate) fn decode(bytes: &[u8], room: Vec<u8>) -> Result<Decoded, JpegError> {
    let mut parser = Parser::new(bytes)?;
    let mut frame = parser.read_frame_header()?;
    let colour = Colour::of(&frame, &parser)?;
    parser.read_scans(&mut frame)?;
    Ok(render(&frame, colour, room))
}

/// Up-samples and converts the planes, row by row.
fn render(frame: &Frame, colour: Colour, mut pixels: Vec<u8>) -> Decoded {
    let channels = colour.channels();
    pixels.resize(frame.width * frame.height * channels, 0);
    let mut rows: Vec<Vec<u8>> = frame
        .components
        .iter()
        .map(|_| vec![0; frame.width + 16])
        .collect();
    for (y, out) in pixels.chunks_exact_mut(frame.width * channels).enumerate() {
        if channels == 1 {
            out.copy_from_slice(&frame.components[0].row(y)[..frame.width]);
            continue;
        }
        for (component, row) in frame.components.iter().zip(&mut rows) {
            component.upsampled_row(y, frame.h_max, frame.v_max, row);
        }
        colour.convert_row(&rows, out);
    }
    Decoded {
        width: frame.width,
        height: frame.height,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_an_error() {
        assert_eq!(
            decode(&[], Vec::new()),
            Err(JpegError::Corrupt("it does not start with a JPEG marker"))
        );
        assert_eq!(
            decode(&[0xFF, 0xD8, 0xFF], Vec::new()),
            Err(JpegError::Truncated)
        );
        assert_eq!(
            decode(&[0xFF, 0xD8, 0xFF, 0xC0, 0, 17], Vec::new()),
            Err(JpegError::Truncated)
        );
    }
}
