//! Anomaly maps as pictures.

use std::io::Cursor;
use std::path::Path;

use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::Picture;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::{Deserialize, Serialize};

use super::{HeatScale, HeatStyle, MapInfo};
use crate::EngineError;

/// How a map is written as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawMap {
    /// A 16-bit grey PNG in which 0 and 65535 stand for the ends of the [range](MapInfo::range) of the model's maps.
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

/// A map as large as a picture, and what it means.
pub(crate) struct FullMap {
    pub(crate) values: Vec<f32>,
    width: usize,
}

impl FullMap {
    /// Up-samples a map bilinearly, corner pixels on corner pixels.
    pub(crate) fn new(map: &AnomalyMap, width: usize, height: usize) -> Self {
        let values = map.at_size(height, width).into_owned().values;
        Self { values, width }
    }

    /// Lays heat over a picture of the same size, and draws the line along which the map reaches the threshold: white outside, black
    /// inside, so that it shows on any ground. What is below the [scale](HeatScale) stays as it is.
    pub(crate) fn lay_over(&self, pixels: &mut [u8], scale: &HeatScale, style: HeatStyle) {
        for (pixel, &value) in pixels.chunks_exact_mut(3).zip(&self.values) {
            let alpha = style.opacity * scale.strength(value);
            let colour = style.colours.colour(scale.level(value));
            for (channel, colour) in pixel.iter_mut().zip(colour) {
                let blended = f32::from(*channel) * (1.0 - alpha) + f32::from(colour) * alpha;
                *channel = blended.round() as u8;
            }
        }
        let side = self.width.min(self.values.len() / self.width.max(1));
        let thickness = (side / PIXELS_PER_LINE).max(1);
        let anomalous: Vec<bool> = self.values.iter().map(|v| *v >= scale.threshold).collect();
        let normal: Vec<bool> = anomalous.iter().map(|anomalous| !anomalous).collect();
        let near_normal = grown(&normal, self.width, thickness);
        let near_anomalous = grown(&anomalous, self.width, thickness);
        let lines = near_normal.iter().zip(&near_anomalous).zip(&anomalous);
        for (pixel, ((near_normal, near_anomalous), anomalous)) in
            pixels.chunks_exact_mut(3).zip(lines)
        {
            match (near_normal, near_anomalous, anomalous) {
                (true, _, true) => pixel.fill(0),
                (_, true, false) => pixel.fill(255),
                _ => {}
            }
        }
    }
}

/// Side of a picture per pixel of the line around heat.
const PIXELS_PER_LINE: usize = 400;

/// What is set, and all within `by` cells of it in both directions.
fn grown(cells: &[bool], width: usize, by: usize) -> Vec<bool> {
    let along = |cells: &[bool], length: usize, step: usize| {
        let mut grown = vec![false; cells.len()];
        let lines = cells.len() / length.max(1);
        for line in 0..lines {
            let first = if step == 1 { line * length } else { line };
            let at = |position: usize| first + position * step;
            let mut ends = 0;
            for position in (0..length).filter(|position| cells[at(*position)]) {
                for position in
                    position.saturating_sub(by).max(ends)..(position + by + 1).min(length)
                {
                    grown[at(position)] = true;
                    ends = position + 1;
                }
            }
        }
        grown
    };
    let rows = along(cells, width, 1);
    along(&rows, cells.len() / width.max(1), width)
}

/// Writes the picture, at its own size, with the heat of the map over it.
pub(crate) fn write_overlay(
    path: &Path,
    picture: &Picture,
    map: &FullMap,
    scale: &HeatScale,
    style: HeatStyle,
) -> Result<(), EngineError> {
    let mut pixels = picture.pixels.clone();
    map.lay_over(&mut pixels, scale, style);
    let bytes = png(
        path,
        &pixels,
        picture.width,
        picture.height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(ckaad_files::write(path, &bytes)?)
}

/// Writes the map as it is.
pub(crate) fn write_raw(
    path: &Path,
    kind: RawMap,
    map: &AnomalyMap,
    info: &MapInfo,
) -> Result<(), EngineError> {
    let bytes = match kind {
        RawMap::Npy => npy(map),
        RawMap::Png => {
            let [least, most] = info.range;
            let grey = |&value: &f32| {
                let scaled = (value - least) / (most - least) * f32::from(u16::MAX);
                (scaled.round().clamp(0.0, f32::from(u16::MAX)) as u16).to_ne_bytes()
            };
            let pixels: Vec<u8> = map.values.iter().flat_map(grey).collect();
            png(path, &pixels, map.width, map.height, ExtendedColorType::L16)?
        }
    };
    Ok(ckaad_files::write(path, &bytes)?)
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
    fn a_picture_stays_as_it_is_where_nothing_is_anomalous() {
        let scale = HeatScale {
            clear: 0.75,
            threshold: 1.0,
            full: 2.0,
        };
        let mut values = vec![0.7; 64];
        values[..8].fill(1.5);
        let map = FullMap { values, width: 8 };
        let before: Vec<u8> = (0..192).collect();
        let mut after = before.clone();
        map.lay_over(&mut after, &scale, HeatStyle::default());
        assert_eq!(after[..24], [0; 24], "the line's inside");
        assert_eq!(after[24..48], [255; 24], "the line's outside");
        assert_eq!(after[48..], before[48..]);
    }

    #[test]
    fn heat_is_blended_by_its_opacity() {
        let scale = HeatScale {
            clear: 0.0,
            threshold: 0.5,
            full: 1.0,
        };
        let map = FullMap {
            values: vec![1.0; 9],
            width: 3,
        };
        let mut pixels = vec![100; 27];
        let style = HeatStyle {
            opacity: 0.5,
            ..HeatStyle::default()
        };
        map.lay_over(&mut pixels, &scale, style);
        assert_eq!(pixels[..3], [170, 175, 67]);
    }

    #[test]
    fn growing_reaches_in_both_directions() {
        let mut cells = [false; 25];
        cells[12] = true;
        let count = |by| grown(&cells, 5, by).iter().filter(|set| **set).count();
        assert_eq!((count(0), count(1), count(2), count(9)), (1, 9, 25, 25));
    }
}
