//! From the values of a decoder to bytes of grey or RGB, as Pillow converts them.

use std::path::Path;

use ::image::DynamicImage;

use super::{Values, unsupported};
use crate::error::DataError;
use crate::reading::Reading;

/// Alpha is dropped, 16-bit values become bytes as `reading` says, palettes were already looked up. Beside the values stands the largest
/// one of a 16-bit image.
pub(super) fn convert(
    image: DynamicImage,
    reading: &Reading,
    path: &Path,
) -> Result<(Values, Option<u16>), DataError> {
    Ok(match image {
        DynamicImage::ImageLuma8(image) => (Values::Grey(image.into_raw()), None),
        DynamicImage::ImageLumaA8(image) => {
            let grey = image.as_chunks().0.iter().map(|&[grey, _]| grey);
            (Values::Grey(grey.collect()), None)
        }
        DynamicImage::ImageRgb8(image) => (Values::Rgb(image.into_raw()), None),
        DynamicImage::ImageRgba8(image) => {
            let rgb = image
                .as_chunks()
                .0
                .iter()
                .flat_map(|&[r, g, b, _]| [r, g, b]);
            (Values::Rgb(rgb.collect()), None)
        }
        DynamicImage::ImageLuma16(image) => {
            let (grey, largest) = bytes(image.iter().copied(), reading);
            (Values::Grey(grey), Some(largest))
        }
        DynamicImage::ImageLumaA16(image) => {
            let values = image.as_chunks().0.iter().map(|&[grey, _]| grey);
            let (grey, largest) = bytes(values, reading);
            (Values::Grey(grey), Some(largest))
        }
        DynamicImage::ImageRgb16(image) => {
            let (rgb, largest) = bytes(image.iter().copied(), reading);
            (Values::Rgb(rgb), Some(largest))
        }
        DynamicImage::ImageRgba16(image) => {
            let values = image
                .as_chunks()
                .0
                .iter()
                .flat_map(|&[r, g, b, _]| [r, g, b]);
            let (rgb, largest) = bytes(values, reading);
            (Values::Rgb(rgb), Some(largest))
        }
        other => {
            return Err(unsupported(
                path,
                format!("images of type {:?}", other.color()),
            ));
        }
    })
}

/// 16-bit values as bytes, and the largest of them.
fn bytes(values: impl Iterator<Item = u16>, reading: &Reading) -> (Vec<u8>, u16) {
    let mut largest = 0;
    let bytes = values
        .inspect(|&value| largest = largest.max(value))
        .map(|value| reading.byte(value))
        .collect();
    (bytes, largest)
}
