//! Pixel-level truth.

use std::path::Path;

use ::image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::image::{decode_dynamic, read, unsupported};
use crate::resize::resize;

/// When a mask pixel counts as anomalous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskRule {
    /// Resized bilinearly, then over one half (MVTec AD).
    #[default]
    Half,
    /// Any non-zero value is anomalous before resizing, then as `Half` (VisA, whose masks hold small class numbers).
    NonZero,
}

/// A square mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Width and height.
    pub size: usize,
    /// `size * size` values, row by row; true is anomalous.
    pub pixels: Vec<bool>,
    /// Width and height of the file that it comes from.
    pub original: (usize, usize),
}

/// A mask at the size of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeMask {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `height * width` values, row by row; true is anomalous.
    pub pixels: Vec<bool>,
}

/// Reads a mask and resizes it to `size` x `size`: Pillow's BILINEAR on the grey values, then v / 255 > 0.5.
///
/// # Errors
/// As [`load_image`](crate::load_image).
pub fn load_mask(path: &Path, size: usize, rule: MaskRule) -> Result<Mask, DataError> {
    if size == 0 {
        return Err(DataError::Parameter {
            name: "image_size",
            value: "0".into(),
            reason: "must be at least 1".into(),
        });
    }
    let (width, height, grey) = grey(path, rule)?;
    let pixels = resize::<1>(&grey, (width, height), (size, size))
        .into_iter()
        .map(over_half)
        .collect();
    Ok(Mask {
        size,
        pixels,
        original: (width, height),
    })
}

/// Reads a mask at its own size.
///
/// # Errors
/// As [`load_mask`].
pub fn load_mask_native(path: &Path, rule: MaskRule) -> Result<NativeMask, DataError> {
    let (width, height, grey) = grey(path, rule)?;
    Ok(NativeMask {
        width,
        height,
        pixels: grey.into_iter().map(over_half).collect(),
    })
}

/// v / 255 > 0.5 in integers.
fn over_half(value: u8) -> bool {
    value >= 128
}

/// The grey values of the file after the rule's first step.
fn grey(path: &Path, rule: MaskRule) -> Result<(usize, usize, Vec<u8>), DataError> {
    let image = decode_dynamic(&read(path)?, path)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut grey: Vec<u8> = match image {
        DynamicImage::ImageLuma8(image) => image.into_raw(),
        DynamicImage::ImageLumaA8(image) => image.chunks_exact(2).map(|p| p[0]).collect(),
        DynamicImage::ImageRgb8(image) => image.chunks_exact(3).map(luma).collect(),
        DynamicImage::ImageRgba8(image) => image.chunks_exact(4).map(luma).collect(),
        other => return Err(unsupported(other.color(), path)),
    };
    if rule == MaskRule::NonZero {
        grey.iter_mut()
            .for_each(|value| *value = if *value == 0 { 0 } else { 255 });
    }
    Ok((width, height, grey))
}

/// ITU-R 601-2 luma in Pillow's 16-bit fixed point.
fn luma(pixel: &[u8]) -> u8 {
    let [r, g, b] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
    ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8
}
