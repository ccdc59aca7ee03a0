//! Entropy-coded scans: which blocks they hold, and the sequential coding of a block.

use super::JpegError;
use super::bits::Bits;
use super::frame::Frame;
use super::huffman::Huffman;
use super::idct::BlockRow;
use super::markers::ZIGZAG;
use super::progressive::{EndOfBand, Pass};
use crate::simd::best;

/// One component of a scan.
pub(super) struct Part<'a> {
    /// Index into the frame's components.
    pub(super) component: usize,
    pub(super) dc: Option<&'a Huffman>,
    pub(super) ac: Option<&'a Huffman>,
}

/// A scan header.
pub(super) struct Scan<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// First and last coefficient in zigzag order.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Bit positions of successive approximation.
    pub(super) high: u32,
    pub(super) low: u32,
    pub(super) restart_interval: usize,
}

impl Scan<'_> {
    /// Refuses headers that the process does not allow.
    pub(super) fn check(&self, progressive: bool) -> Result<(), JpegError> {
        let valid = match (progressive, self.start) {
            // libjpeg ignores these fields in sequential files; so do we.
            (false, _) => true,
            (true, 0) => self.end == 0,
            (true, _) => self.start <= self.end && self.end < 64 && self.parts.len() == 1,
        };
        let refines = self.high == 0 || self.high == self.low + 1;
        if valid && (!progressive || (self.low <= 13 && refines)) {
            Ok(())
        } else {
            Err(JpegError::Corrupt("an impossible scan header"))
        }
    }
}

/// How far the picture has come.
pub(super) struct ScanState {
    /// Whether the scans so far cover every component; sequential files only.
    seen: Vec<bool>,
    /// Per component and coefficient, the bit position known so far, -1 for nothing; progressive files only.
    known: Vec<[i8; 64]>,
    /// Whether coefficients are kept until the end, because several scans share the picture.
    deferred: bool,
}

impl ScanState {
    pub(super) fn new(frame: &Frame) -> Self {
        let n = frame.components.len();
        Self {
            seen: vec![false; n],
            known: vec![[-1; 64]; n],
            deferred: false,
        }
    }

    /// True when a sequential file has everything.
    pub(super) fn is_complete(&self) -> bool {
        self.seen.iter().all(|&seen| seen)
    }

    /// Decodes one scan; returns the position after it.
    pub(super) fn read(
        &mut self,
        frame: &mut Frame,
        scan: &Scan<'_>,
        data: &[u8],
        position: usize,
    ) -> Result<usize, JpegError> {
        if !self.deferred && (frame.progressive || scan.parts.len() < frame.components.len()) {
            frame.reserve_coefficients();
            self.deferred = true;
        }
        if scan.parts.len() > 1 {
            let blocks: usize = scan
                .parts
                .iter()
                .map(|part| frame.components[part.component].h * frame.components[part.component].v)
                .sum();
            if blocks > 10 {
                return Err(JpegError::Corrupt("more than ten blocks per unit"));
            }
        }
        for part in &scan.parts {
            if !frame.progressive {
                self.seen[part.component] = true;
            }
            self.known[part.component][scan.start.min(63)..=scan.end.min(63)].fill(scan.low as i8);
        }
        Reader {
            bits: Bits::new(data, position),
            predictors: [0; 4],
            end_of_band: EndOfBand::default(),
        }
        .read(frame, scan, self.deferred)
    }

    /// Transforms what is deferred, and refuses pictures of which a part is missing.
    pub(super) fn finish(&self, frame: &mut Frame) -> Result<(), JpegError> {
        // The first ten coefficients are those that libjpeg would otherwise guess ("block smoothing").
        let complete = match frame.progressive {
            true => self
                .known
                .iter()
                .all(|known| known[..10].iter().all(|&low| low == 0)),
            false => self.is_complete(),
        };
        if !complete {
            return Err(JpegError::Corrupt("some of its scans are missing"));
        }
        if self.deferred {
            for component in &mut frame.components {
                let stride = component.stride();
                let quantisers = component
                    .quantisers
                    .ok_or(JpegError::Corrupt("a quantisation table is missing"))?;
                let rows = component
                    .coefficients
                    .chunks_exact(component.padded_wide * 64);
                for (coefficients, plane) in rows.zip(component.plane.chunks_exact_mut(stride * 8))
                {
                    best(BlockRow {
                        coefficients,
                        quantisers: &quantisers,
                        plane,
                        stride,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The decoder's state within a scan.
struct Reader<'a> {
    bits: Bits<'a>,
    predictors: [i32; 4],
    end_of_band: EndOfBand,
}

impl Reader<'_> {
    fn read(
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
