//! Quantisation and Huffman tables as a file defines and redefines them.

use super::JpegError;
use super::huffman::Huffman;

/// Positions of coefficients in zigzag order.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The tables met so far, by number.
#[derive(Default)]
pub(super) struct Tables {
    quantisers: [Option<[i32; 64]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
}

impl Tables {
    /// A quantisation table in natural order.
    pub(super) fn quantisers(&self, number: usize) -> Option<[i32; 64]> {
        self.quantisers.get(number).copied().flatten()
    }

    /// The DC and the AC table that a byte of a scan header names.
    pub(super) fn pair(&self, numbers: u8) -> (Option<&Huffman>, Option<&Huffman>) {
        let (dc, ac) = (usize::from(numbers >> 4), usize::from(numbers & 15));
        (
            self.dc.get(dc).and_then(Option::as_ref),
            self.ac.get(ac).and_then(Option::as_ref),
        )
    }

    /// Reads a segment of quantisation tables.
    pub(super) fn quantisation(&mut self, mut body: &[u8]) -> Result<(), JpegError> {
        while let [head, rest @ ..] = body {
            let (wide, number) = (head >> 4 != 0, usize::from(head & 15));
            let length = if wide { 128 } else { 64 };
            let values = rest
                .get(..length)
                .ok_or(JpegError::Corrupt("a short quantisation table"))?;
            let slot = self
                .quantisers
                .get_mut(number)
                .ok_or(JpegError::Corrupt("a quantisation table number over 3"))?;
            let mut table = [0; 64];
            for (k, &position) in ZIGZAG.iter().enumerate() {
                table[usize::from(position)] = if wide {
                    i32::from(u16::from_be_bytes([values[2 * k], values[2 * k + 1]]))
                } else {
                    i32::from(values[k])
                };
            }
            *slot = Some(table);
            body = &rest[length..];
        }
        Ok(())
    }

    /// Reads a segment of Huffman tables.
    pub(super) fn huffman(&mut self, mut body: &[u8]) -> Result<(), JpegError> {
        let short = JpegError::Corrupt("a short Huffman table");
        while !body.is_empty() {
            let Some((head, rest)) = body.split_first_chunk::<17>() else {
                return Err(short);
            };
            let mut counts = [0; 16];
            counts.copy_from_slice(&head[1..]);
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let Some(symbols) = rest.get(..total).filter(|_| total <= 256) else {
                return Err(short);
            };
            let tables = if head[0] >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            let slot = tables
                .get_mut(usize::from(head[0] & 15))
                .ok_or(JpegError::Corrupt("a Huffman table number over 3"))?;
            *slot = Some(Huffman::new(&counts, symbols)?);
            body = &rest[total..];
        }
        Ok(())
    }
}
