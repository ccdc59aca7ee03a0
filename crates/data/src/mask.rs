//! Pixel-level truth.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::decode::{Buffers, decode_file};
use crate::error::DataError;
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
    let raster = decode_file(path, &mut Buffers::default())?;
    let (width, height) = (raster.width, raster.height);
    let mut grey = raster.into_grey();
    if rule == MaskRule::NonZero {
        grey.iter_mut()
            .for_each(|value| *value = if *value == 0 { 0 } else { 255 });
    }
    Ok((width, height, grey))
}
