//! Scans: their headers, and how far the picture has come after each.

use super::JpegError;
use super::frame::Frame;
use super::huffman::Huffman;
use super::idct::BlockRow;
use super::reader::Reader;
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
            if frame.progressive {
                self.known[part.component][scan.start..=scan.end].fill(scan.low as i8);
            } else {
                self.seen[part.component] = true;
            }
        }
        Reader::new(data, position).read(frame, scan, self.deferred)
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
