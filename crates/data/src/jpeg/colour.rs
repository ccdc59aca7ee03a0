//! From components to grey or RGB.

use super::JpegError;
use super::frame::Frame;
use super::markers::Parser;
use crate::simd::{Kernel, best};

/// What the components mean; told from markers and component numbers by libjpeg's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    Rgb,
    YCbCr,
    /// Stored inverted, as Adobe does and Pillow assumes.
    Cmyk,
    /// Inverted CMYK whose first three were turned into YCbCr.
    Ycck,
}

impl Colour {
    /// Tells the colour space.
    pub(super) fn of(frame: &Frame, parser: &Parser<'_>) -> Result<Self, JpegError> {
        let ids: Vec<u8> = frame
            .components
            .iter()
            .map(|component| component.id)
            .collect();
        Ok(
            match (ids.len(), parser.has_jfif(), parser.adobe_transform()) {
                (1, ..) => Self::Grey,
                (3, true, _) => Self::YCbCr,
                (3, false, Some(0)) => Self::Rgb,
                (3, false, Some(_)) => Self::YCbCr,
                (3, false, None) if ids == *b"RGB" => Self::Rgb,
                (3, false, None) => Self::YCbCr,
                (4, _, Some(0) | None) => Self::Cmyk,
                (4, ..) => Self::Ycck,
                (n, ..) => {
                    return Err(JpegError::Unsupported(format!(
                        "JPEG files of {n} components are not supported"
                    )));
                }
            },
        )
    }

    /// Bytes per pixel of the result.
    pub(super) fn channels(self) -> usize {
        if self == Self::Grey { 1 } else { 3 }
    }

    /// Converts one row of full-size components to RGB.
    pub(super) fn convert_row(self, rows: &[Vec<u8>], out: &mut [u8]) {
        match self {
            Self::Grey => {}
            Self::YCbCr => best(ToRgb {
                y: &rows[0],
                cb: &rows[1],
                cr: &rows[2],
                out,
            }),
            Self::Rgb => {
                for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
                    pixel.copy_from_slice(&[rows[0][x], rows[1][x], rows[2][x]]);
                }
            }
            Self::Cmyk => {
                for (x, pixel) in out.chunks_exact_mut(3).enumerate() {
                    pixel.copy_from_slice(&from_inverted_cmyk(
                        [rows[0][x], rows[1][x], rows[2][x]],
                        rows[3][x],
                    ));
                }
            }
            Self::Ycck => {
                best(ToRgb {
                    y: &rows[0],
                    cb: &rows[1],
                    cr: &rows[2],
                    out,
                });
                for (pixel, &k) in out.chunks_exact_mut(3).zip(&rows[3]) {
                    let inverted = [255 - pixel[0], 255 - pixel[1], 255 - pixel[2]];
                    pixel.copy_from_slice(&from_inverted_cmyk(inverted, k));
                }
            }
        }
    }
}

/// Pillow's CMYK to RGB: (255 - k) - c * (255 - k) / 255, where each stored value is 255 minus the ink.
fn from_inverted_cmyk(inverted: [u8; 3], inverted_k: u8) -> [u8; 3] {
    let white = i32::from(inverted_k);
    inverted.map(|value| {
        let product = (255 - i32::from(value)) * white + 128;
        (white - (((product >> 8) + product) >> 8)).clamp(0, 255) as u8
    })
}

/// JFIF's YCbCr to RGB in 16-bit fixed point.
struct ToRgb<'a> {
    y: &'a [u8],
    cb: &'a [u8],
    cr: &'a [u8],
    out: &'a mut [u8],
}

impl Kernel for ToRgb<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        const HALF: i32 = 1 << 15;
        let n = self.out.len() / 3;
        let (y, cb, cr) = (&self.y[..n], &self.cb[..n], &self.cr[..n]);
        let (out, _) = self.out.as_chunks_mut::<3>();
        for (((pixel, &y), &cb), &cr) in out.iter_mut().zip(y).zip(cb).zip(cr) {
            let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
            let red = y + ((91881 * cr + HALF) >> 16);
            let green = y + ((-22554 * cb - 46802 * cr + HALF) >> 16);
            let blue = y + ((116130 * cb + HALF) >> 16);
            *pixel = [
                red.clamp(0, 255) as u8,
                green.clamp(0, 255) as u8,
                blue.clamp(0, 255) as u8,
            ];
        }
    }
}
