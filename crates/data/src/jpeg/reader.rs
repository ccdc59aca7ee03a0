//! Entropy-coded data: which blocks a scan holds, and the sequential coding of a block.

use super::JpegError;
use super::bits::Bits;
use super::frame::Frame;
use super::huffman::Huffman;
use super::idct::BlockRow;
use super::progressive::{EndOfBand, Pass};
use super::scan::{Part, Scan};
use super::tables::ZIGZAG;
use crate::simd::best;

/// The decoder's state within a scan.
pub(super) struct Reader<'a> {
    bits: Bits<'a>,
    predictors: [i32; 4],
    end_of_band: EndOfBand,
}

impl<'a> Reader<'a> {
    /// Starts at a position in the file.
    pub(super) fn new(data: &'a [u8], position: usize) -> Self {
        Self {
            bits: Bits::new(data, position),
            predictors: [0; 4],
            end_of_band: EndOfBand::default(),
        }
    }

    /// Decodes the blocks of a scan; returns the position after it.
    pub(super) fn read(
        &mut self,
        frame: &mut Frame,
        scan: &Scan<'_>,
        deferred: bool,
    ) -> Result<usize, JpegError> {
        // A scan of one component codes its blocks row by row; one of several codes units of h x v blocks of each.
        let single = scan.parts.len() == 1;
        let first = &frame.components[scan.parts[0].component];
        let (rows, columns) = if single {
            (first.blocks_high, first.blocks_wide)
        } else {
            (frame.mcus_high, frame.mcus_wide)
        };
        let pass = if frame.progressive {
            Pass::of(scan)
        } else {
            Pass::Sequential
        };
        // Coefficients of one row of units per component, unless they are kept for the whole picture.
        let mut rows_of: Vec<Vec<i16>> = Vec::new();
        if !deferred {
            let blocks = |part: &Part<'_>| {
                frame.components[part.component].padded_wide
                    * if single {
                        1
                    } else {
                        frame.components[part.component].v
                    }
            };
            rows_of = scan
                .parts
                .iter()
                .map(|part| vec![0; blocks(part) * 64])
                .collect();
        }
        let (mut units, mut restarts) = (0, 0u8);
        for row in 0..rows {
            rows_of.iter_mut().for_each(|row| row.fill(0));
            for column in 0..columns {
                if scan.restart_interval > 0 && units == scan.restart_interval {
                    self.bits.restart(restarts % 8)?;
                    restarts = restarts.wrapping_add(1);
                    (units, self.predictors, self.end_of_band) = (0, [0; 4], EndOfBand::default());
                }
                units += 1;
                for (number, part) in scan.parts.iter().enumerate() {
                    let component = &mut frame.components[part.component];
                    let wide = component.padded_wide;
                    let (h, v) = if single {
                        (1, 1)
                    } else {
                        (component.h, component.v)
                    };
                    for y in 0..v {
                        let start = if deferred {
                            (row * v + y) * wide
                        } else {
                            y * wide
                        } + column * h;
                        let store = if deferred {
                            &mut component.coefficients
                        } else {
                            &mut rows_of[number]
                        };
                        let (blocks, _) = store[start * 64..(start + h) * 64].as_chunks_mut::<64>();
                        for block in blocks {
                            self.block(part, number, pass, scan, block)?;
                        }
                    }
                }
            }
            self.bits.check()?;
            for (part, coefficients) in scan.parts.iter().zip(&rows_of) {
                let component = &mut frame.components[part.component];
                let (stride, v) = (component.stride(), if single { 1 } else { component.v });
                let quantisers = component
                    .quantisers
                    .ok_or(JpegError::Corrupt("a quantisation table is missing"))?;
                let planes = component.plane[row * v * 8 * stride..].chunks_exact_mut(8 * stride);
                for (coefficients, plane) in coefficients.chunks_exact(stride * 8).zip(planes) {
                    best(BlockRow {
                        coefficients,
                        quantisers: &quantisers,
                        plane,
                        stride,
                    });
                }
            }
        }
        Ok(self.bits.marker_position().unwrap_or(usize::MAX - 1))
    }

    /// One block of one component.
    #[inline(always)]
    fn block(
        &mut self,
        part: &Part<'_>,
        number: usize,
        pass: Pass,
        scan: &Scan<'_>,
        block: &mut [i16; 64],
    ) -> Result<(), JpegError> {
        let missing = JpegError::Corrupt("a Huffman table is missing");
        let predictor = &mut self.predictors[number];
        match (pass, part.dc, part.ac) {
            (Pass::Sequential, Some(dc), Some(ac)) => {
                sequential_block(&mut self.bits, dc, ac, predictor, block)
            }
            (Pass::DcFirst, Some(dc), _) => {
                *predictor = predictor.wrapping_add(dc_difference(&mut self.bits, dc)?);
                block[0] = predictor.wrapping_shl(scan.low) as i16;
                Ok(())
            }
            (Pass::DcRefine, ..) => {
                if self.bits.bit() {
                    block[0] |= 1 << scan.low;
                }
                Ok(())
            }
            (Pass::AcFirst, _, Some(ac)) => self.end_of_band.first(&mut self.bits, ac, scan, block),
            (Pass::AcRefine, _, Some(ac)) => {
                self.end_of_band.refine(&mut self.bits, ac, scan, block)
            }
            _ => Err(missing),
        }
    }
}

/// The difference of a DC coefficient from the last one.
#[inline(always)]
fn dc_difference(bits: &mut Bits<'_>, dc: &Huffman) -> Result<i32, JpegError> {
    bits.refill();
    match dc.symbol(bits)? {
        size @ 0..=15 => Ok(bits.signed(size)),
        _ => Err(JpegError::Corrupt("an impossible DC coefficient")),
    }
}

/// A block of a sequential scan.
#[inline(always)]
fn sequential_block(
    bits: &mut Bits<'_>,
    dc: &Huffman,
    ac: &Huffman,
    predictor: &mut i32,
    block: &mut [i16; 64],
) -> Result<(), JpegError> {
    let past = JpegError::Corrupt("a coefficient past the end of its block");
    *predictor = predictor.wrapping_add(dc_difference(bits, dc)?);
    block[0] = *predictor as i16;
    let mut k = 1;
    while k < 64 {
        bits.refill();
        let value = match ac.whole(bits) {
            Some((value, run)) => {
                k += run;
                value
            }
            None => {
                let symbol = ac.symbol(bits)?;
                let (run, size) = ((symbol >> 4) as usize, symbol & 15);
                if size == 0 {
                    if run < 15 {
                        return Ok(());
                    }
                    k += 16;
                    continue;
                }
                k += run;
                bits.signed(size)
            }
        };
        let Some(&position) = ZIGZAG.get(k) else {
            return Err(past);
        };
        block[usize::from(position & 63)] = value as i16;
        k += 1;
    }
    Ok(())
}
