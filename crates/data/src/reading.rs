//! How pixels are read where a file leaves a choice.

use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::layout::Layout;

/// How pixels are read where a file leaves a choice. The default is how published data sets are read: pixels as stored, one page, 16-bit
/// values by their high byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// Whether images are turned as their file asks for.
    pub orientation: Orientation,
    /// Which 16-bit values become black and white; by default 0 and 65535. Images of 8 bits are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Which page (TIFF) or frame (animated PNG and WebP) is read, from 1. Without it, files of several are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<NonZeroU32>,
}

impl Reading {
    /// The default, as a constant.
    pub const PUBLISHED: Self = Self {
        orientation: Orientation::Ignore,
        window: None,
        page: None,
    };

    /// The byte that a 16-bit value becomes: linear within the window; without one its high byte, as Pillow converts 16-bit colour.
    pub(crate) fn byte(&self, value: u16) -> u8 {
        match self.window {
            Some(window) => window.byte(value),
            None => (value >> 8) as u8,
        }
    }
}

/// Whether the orientation that a file states (EXIF in JPEG, PNG and WebP, the tag of TIFF, XMP where they have none) is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// Pixels stay as they are stored, which is how figures of published data sets were made.
    #[default]
    Ignore,
    /// Turned and mirrored as viewers do, and as Pillow's `ImageOps.exif_transpose`.
    Apply,
}

impl Orientation {
    /// The rule for a layout: followed in folders and manifests of one's own, ignored in published data sets.
    pub fn of(layout: Layout) -> Self {
        match layout {
            Layout::Folder | Layout::Manifest => Self::Apply,
            _ => Self::Ignore,
        }
    }
}

/// The 16-bit values that become 0 and 255; those between them linearly, rounded, those outside cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "[u16; 2]", into = "[u16; 2]")]
pub struct Window {
    low: u16,
    high: u16,
}

impl Window {
    /// From `low`, which becomes 0, to `high`, which becomes 255.
    ///
    /// # Errors
    /// [`DataError::Parameter`] unless `low` is below `high`.
    pub fn new(low: u16, high: u16) -> Result<Self, DataError> {
        if low < high {
            return Ok(Self { low, high });
        }
        Err(wrong_window(format!("{low},{high}")))
    }

    fn byte(self, value: u16) -> u8 {
        let width = u32::from(self.high - self.low);
        let above = u32::from(value.clamp(self.low, self.high) - self.low);
        // At most 255, since `above` is at most `width`.
        ((above * 255 + width / 2) / width) as u8
    }
}

impl TryFrom<[u16; 2]> for Window {
    type Error = DataError;

    fn try_from([low, high]: [u16; 2]) -> Result<Self, DataError> {
        Self::new(low, high)
    }
}

impl From<Window> for [u16; 2] {
    fn from(window: Window) -> Self {
        [window.low, window.high]
    }
}

/// `LOW,HIGH`.
impl FromStr for Window {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let number = |part: &str| part.trim().parse().ok();
        let ends = text
            .split_once(',')
            .and_then(|(low, high)| Some((number(low)?, number(high)?)));
        let (low, high) = ends.ok_or_else(|| wrong_window(text.into()))?;
        Self::new(low, high)
    }
}

fn wrong_window(value: String) -> DataError {
    DataError::Parameter {
        name: "window",
        value,
        reason: "must be LOW,HIGH, two whole numbers from 0 to 65535, the lower one first".into(),
    }
}

/// The 16-bit images among those that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SixteenBit {
    /// How many there were.
    pub images: usize,
    /// The largest value in any of them, alpha aside.
    pub largest: u16,
}

impl SixteenBit {
    /// Adds those of another list.
    pub fn merge(&mut self, other: Self) {
        self.images += other.images;
        self.largest = self.largest.max(other.largest);
    }

    /// What to say where two or more of the upper bits are never used: such images hold data of fewer bits (12 in most cameras and
    /// scanners), and read by the whole range they are nearly black. `None` if a window was set.
    pub fn warning(&self, reading: &Reading) -> Option<String> {
        let bits = u16::BITS - self.largest.leading_zeros();
        if reading.window.is_some() || !(1..=14).contains(&bits) {
            return None;
        }
        let top = (1u32 << bits.max(8)) - 1;
        let Self { images, largest } = self;
        Some(format!(
            "{images} images have 16 bits per value, but none uses a value above {largest}: read as 0 to 65535 they are dark; if they hold \
             {} bits, set the window 0,{top}",
            bits.max(8)
        ))
    }
}
