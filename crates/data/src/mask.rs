//! Pixel-level truth.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use ::image::{DynamicImage, ImageDecoder, ImageReader};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decode::{Buffers, read_raster};
use crate::error::DataError;
use crate::mask_problem::MaskProblem;
use crate::reading::{Orientation, Reading, Window};
use crate::regions;
use crate::resize::resize;

/// When a mask pixel counts as anomalous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskRule {
    /// Resized bilinearly, then over one half (MVTec AD).
    #[default]
    Half,
    /// Any non-zero value is anomalous before resizing, then as `Half` (VisA, whose masks hold small class numbers). Where all colours are
    /// zero and the alpha channel is not the same everywhere, the alpha channel is the mask.
    NonZero,
}

impl MaskRule {
    /// Every rule.
    pub const ALL: [Self; 2] = [Self::Half, Self::NonZero];
}

impl std::fmt::Display for MaskRule {
    /// Its name in configurations and on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Half => "half",
            Self::NonZero => "non-zero",
        })
    }
}

/// How a mask is brought to the size of the images: Pillow's BILINEAR, then over one half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskResize {
    /// That alone, as the benchmarks do.
    #[default]
    Exact,
    /// And a connected region (of 8 neighbours) that vanishes keeps the pixels of which it covers at least half as much as of the one that
    /// it covers most.
    KeepRegions,
}

/// A square mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Width and height.
    pub size: usize,
    /// `size * size` values, row by row; true is anomalous.
    pub pixels: Vec<bool>,
    /// Width and height of the files that it comes from.
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

/// Reads the masks of an image, unites them and resizes them to `size` x `size`. They are turned as `orientation` says of images. Values of 16
/// bits count by their high byte, unless none is above 255.
///
/// # Errors
/// As [`load_image`](crate::load_image); [`DataError::Masks`] if the files have different sizes; [`DataError::Parameter`] for
/// size 0 or no file.
pub fn load_mask(
    files: &[PathBuf],
    size: usize,
    rule: MaskRule,
    how: MaskResize,
    orientation: Orientation,
) -> Result<Mask, DataError> {
    if size == 0 {
        return Err(DataError::Parameter {
            name: "image_size",
            value: "0".into(),
            reason: "must be at least 1".into(),
        });
    }
    let truth = Grey::read(files, orientation)?.under(rule);
    let pixels = truth.resized(size, how);
    Ok(Mask {
        size,
        pixels,
        original: (truth.width, truth.height),
    })
}

/// Reads the masks of an image at their own size and unites them.
///
/// # Errors
/// As [`load_mask`].
pub fn load_mask_native(
    files: &[PathBuf],
    rule: MaskRule,
    orientation: Orientation,
) -> Result<NativeMask, DataError> {
    let truth = Grey::read(files, orientation)?.under(rule);
    Ok(NativeMask {
        width: truth.width,
        height: truth.height,
        pixels: truth.set(),
    })
}

/// v / 255 > 0.5 in integers.
fn over_half(value: u8) -> bool {
    value >= 128
}

/// The values of an image's masks, united: the greatest of each pixel.
pub(crate) struct Grey {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<u8>,
    /// The alpha channels, where all colours are zero and alpha is not the same everywhere.
    pub(crate) alpha: Option<Vec<u8>>,
}

impl Grey {
    /// Reads at least one file, of one page each.
    pub(crate) fn read(files: &[PathBuf], orientation: Orientation) -> Result<Self, DataError> {
        let Some((first, others)) = files.split_first() else {
            return Err(DataError::Parameter {
                name: "masks",
                value: "none".into(),
                reason: "must name at least one file".into(),
            });
        };
        let mut all = Self::read_one(first, orientation)?;
        for file in others {
            let next = Self::read_one(file, orientation)?;
            if (next.width, next.height) != (all.width, all.height) {
                return Err(DataError::Masks {
                    problems: vec![MaskProblem::Shape {
                        mask: file.clone(),
                        size: (next.width, next.height),
                        other: first.display().to_string(),
                        other_size: (all.width, all.height),
                    }],
                });
            }
            unite(&mut all.values, &next.values);
            match (&mut all.alpha, next.alpha) {
                (Some(all), Some(next)) => unite(all, &next),
                (all, next) => *all = all.take().or(next),
            }
        }
        Ok(all)
    }

    fn read_one(file: &Path, orientation: Orientation) -> Result<Self, DataError> {
        let mut reading = Reading {
            orientation,
            ..Reading::PUBLISHED
        };
        let mut buffers = Buffers::default();
        let mut raster = read_raster(file, &reading, &mut buffers)?;
        if raster.largest.is_some_and(|largest| largest <= 255) {
            // Bytes in a file of 16 bits.
            reading.window = Some(Window::new(0, 255)?);
            raster = read_raster(file, &reading, &mut buffers)?;
        }
        let (width, height) = (raster.width, raster.height);
        let values = raster.into_grey();
        let empty = values.iter().all(|&value| value == 0);
        Ok(Self {
            width,
            height,
            values,
            alpha: empty.then(|| alpha(&buffers.file, orientation)).flatten(),
        })
    }

    /// The values after the rule's first step.
    pub(crate) fn under(mut self, rule: MaskRule) -> Self {
        if rule == MaskRule::NonZero {
            if let Some(alpha) = self.alpha.take() {
                unite(&mut self.values, &alpha);
            }
            self.values
                .iter_mut()
                .for_each(|value| *value = if *value == 0 { 0 } else { 255 });
        }
        self
    }

    /// Which pixels are anomalous.
    pub(crate) fn set(&self) -> Vec<bool> {
        self.values.iter().copied().map(over_half).collect()
    }

    /// Which pixels are anomalous at another size.
    fn resized(&self, size: usize, how: MaskResize) -> Vec<bool> {
        let mut small = self.exact(size);
        if how == MaskResize::KeepRegions {
            regions::keep(&self.set(), (self.width, self.height), &mut small, size);
        }
        small
    }

    /// How many connected regions vanish when resized exactly.
    pub(crate) fn vanished(&self, size: usize) -> usize {
        let from = (self.width, self.height);
        regions::keep(&self.set(), from, &mut self.exact(size), size)
    }

    fn exact(&self, size: usize) -> Vec<bool> {
        resize::<1>(&self.values, (self.width, self.height), (size, size))
            .into_iter()
            .map(over_half)
            .collect()
    }
}

fn unite(all: &mut [u8], next: &[u8]) {
    all.iter_mut()
        .zip(next)
        .for_each(|(all, &next)| *all = next.max(*all));
}

/// The alpha channel in the bytes of a file that was decoded before, if it has one that is not the same everywhere.
pub(crate) fn alpha(bytes: &[u8], orientation: Orientation) -> Option<Vec<u8>> {
    let reader = ImageReader::new(Cursor::new(bytes));
    let reader = reader.with_guessed_format().ok()?;
    let mut decoder = reader.into_decoder().ok()?;
    let turn = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if orientation == Orientation::Apply {
        picture.apply_orientation(turn);
    }
    if !picture.color().has_alpha() {
        return None;
    }
    let alpha: Vec<u8> = picture.to_rgba8().pixels().map(|pixel| pixel[3]).collect();
    alpha
        .iter()
        .any(|value| Some(value) != alpha.first())
        .then_some(alpha)
}
