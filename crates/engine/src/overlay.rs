//! Anomaly maps as pictures.

use std::io::Cursor;
use std::path::Path;

use ckaad_anomaly_map::{Align, AnomalyMap, upsample};
use ckaad_data::Picture;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// Largest share of the heat in a pixel of the overlay.
const OPACITY: f32 = 0.6;

/// How a map is written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawMap {
    /// A 16-bit grey PNG in which 65535 stands for [`RAW_PNG_FULL_SCALE`].
    Png,
    /// A NumPy array of 32-bit floats.
    Npy,
}

impl RawMap {
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Npy => "npy",
        }
    }
}

/// The value that a 16-bit map's 65535 stands for: the largest that four scales can reach.
pub const RAW_PNG_FULL_SCALE: f32 = 8.0;

/// Writes the picture, at its own size, with the heat of the map over it. Colours mean the same in every picture of a
/// model: clear up to three quarters of the threshold, yellow at the threshold, red from five quarters on.
pub(crate) fn write_overlay(
    path: &Path,
    picture: &Picture,
    map: &AnomalyMap,
    threshold: f64,
) -> Result<(), EngineError> {
    let mut heat = vec![0.0; picture.width * picture.height];
    upsample(
        &map.values,
        [map.height, map.width],
        &mut heat,
        [picture.height, picture.width],
        Align::Corners,
    );
    let mut pixels = picture.pixels.clone();
    let threshold = (threshold as f32).max(f32::MIN_POSITIVE);
    for (pixel, value) in pixels.chunks_exact_mut(3).zip(heat) {
        let level = (2.0 * (value / threshold - 0.75)).clamp(0.0, 1.0);
        let alpha = OPACITY * level;
        for (channel, colour) in pixel.iter_mut().zip(heat_colour(level)) {
            *channel = (f32::from(*channel) * (1.0 - alpha) + colour * alpha).round() as u8;
        }
    }
    let bytes = png(
        path,
        &pixels,
        picture.width,
        picture.height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(ckaad_data::write_file(path, &bytes)?)
}

/// From yellow (0.5 and below) to red (1).
fn heat_colour(level: f32) -> [f32; 3] {
    [255.0, 255.0 * (2.0 - 2.0 * level).clamp(0.0, 1.0), 0.0]
}

pub(crate) fn write_raw(path: &Path, kind: RawMap, map: &AnomalyMap) -> Result<(), EngineError> {
    let bytes = match kind {
        RawMap::Npy => npy(map),
        RawMap::Png => {
            let grey = |&value: &f32| {
                let scaled = value / RAW_PNG_FULL_SCALE * f32::from(u16::MAX);
                (scaled.round().clamp(0.0, f32::from(u16::MAX)) as u16).to_ne_bytes()
            };
            let pixels: Vec<u8> = map.values.iter().flat_map(grey).collect();
            png(path, &pixels, map.width, map.height, ExtendedColorType::L16)?
        }
    };
    Ok(ckaad_data::write_file(path, &bytes)?)
}

fn png(
    path: &Path,
    pixels: &[u8],
    width: usize,
    height: usize,
    colour: ExtendedColorType,
) -> Result<Vec<u8>, EngineError> {
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(pixels, width as u32, height as u32, colour)
        .map_err(|error| EngineError::file(path, "picture", error))?;
    Ok(bytes.into_inner())
}

/// The NumPy format, version 1.0: magic, a header padded to a multiple of 64 bytes, little-endian values.
fn npy(map: &AnomalyMap) -> Vec<u8> {
    let description = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
        map.height, map.width
    );
    let header = 10 + description.len() + 1;
    let padding = header.next_multiple_of(64) - header;
    let length = (description.len() + padding + 1) as u16;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(description.as_bytes());
    bytes.extend(std::iter::repeat_n(b' ', padding));
    bytes.push(b'\n');
    bytes.extend(map.values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numpy_file_has_an_aligned_header() {
        let map = AnomalyMap {
            height: 2,
            width: 1,
            values: vec![1.0, -2.0],
        };
        let bytes = npy(&map);
        assert_eq!(bytes.len(), 128 + 8);
        assert!(bytes[..128].ends_with(b" \n"));
        assert_eq!(bytes[132..], (-2.0_f32).to_le_bytes());
    }

    #[test]
    fn colours_go_from_yellow_to_red() {
        assert_eq!(heat_colour(0.5), [255.0, 255.0, 0.0]);
        assert_eq!(heat_colour(1.0), [255.0, 0.0, 0.0]);
    }
}
