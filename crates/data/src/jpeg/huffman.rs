//! Huffman tables.

use super::JpegError;
use super::bits::{Bits, extend};

/// Codes up to this length are decoded by one look-up.
const LOOK: u32 = 10;

/// A Huffman table, ready for decoding.
#[derive(Clone)]
pub(super) struct Huffman {
    /// By the next `LOOK` bits: code length << 8 | symbol, or 0 for longer codes.
    short: Vec<u16>,
    /// By the next `LOOK` bits, for AC codes whose extra bits fit too: value << 16 | run << 8 | bits used, or 0.
    whole: Vec<i32>,
    /// One past the last code of each length, shifted to 16 bits; for codes longer than `LOOK`.
    limit: [u32; 17],
    /// What to add to a code of each length to index `symbols`.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// From the code counts per length (1 to 16) and the symbols in order of their codes.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self, JpegError> {
        let mut table = Self {
            short: vec![0; 1 << LOOK],
            whole: vec![0; 1 << LOOK],
            limit: [0; 17],
            offset: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0u32, 0usize);
        for length in 1..=16u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offset[length as usize] = index as i32 - code as i32;
            for &symbol in symbols
                .get(index..index + count)
                .ok_or(JpegError::Corrupt("a Huffman table is impossible"))?
                .iter()
            {
                if code >= 1 << length {
                    return Err(JpegError::Corrupt("a Huffman table is impossible"));
                }
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    table.short[first..first + (1 << (LOOK - length))]
                        .fill((length as u16) << 8 | u16::from(symbol));
                }
                code += 1;
            }
            index += count;
            // Without codes of this length the limit equals the last one, so that the search passes on.
            table.limit[length as usize] = code << (16 - length);
            code <<= 1;
        }
        table.fill_whole();
        Ok(table)
    }

    /// Precomputes codes together with their extra bits.
    fn fill_whole(&mut self) {
        for (bits, (short, whole)) in self.short.iter().zip(&mut self.whole).enumerate() {
            let (length, symbol) = (u32::from(short >> 8), u32::from(short & 0xFF));
            let (run, size) = (symbol >> 4, symbol & 15);
            if length > 0 && size > 0 && length + size <= LOOK {
                let extra = (bits as u32 >> (LOOK - length - size)) & ((1 << size) - 1);
                *whole = extend(extra as i32, size) << 16 | (run << 8 | (length + size)) as i32;
            }
        }
    }

    /// The next symbol; the reader must be refilled.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u32, JpegError> {
        let entry = self.short[bits.peek(LOOK) as usize];
        if entry != 0 {
            bits.skip(u32::from(entry >> 8));
            return Ok(u32::from(entry & 0xFF));
        }
        self.long_symbol(bits)
    }

    /// A symbol whose code is longer than `LOOK` bits.
    #[inline(never)]
    fn long_symbol(&self, bits: &mut Bits<'_>) -> Result<u32, JpegError> {
        let next = bits.peek(16);
        for length in LOOK + 1..=16 {
            if next < self.limit[length as usize] {
                let index = (next >> (16 - length)) as i32 + self.offset[length as usize];
                let symbol = usize::try_from(index)
                    .ok()
                    .and_then(|index| self.symbols.get(index));
                bits.skip(length);
                return symbol
                    .map(|&symbol| u32::from(symbol))
                    .ok_or(JpegError::Corrupt("an unknown Huffman code"));
            }
        }
        bits.check()?;
        Err(JpegError::Corrupt("an unknown Huffman code"))
    }

    /// The next AC code with its extra bits, if short: (value, run).
    #[inline(always)]
    pub(super) fn whole(&self, bits: &mut Bits<'_>) -> Option<(i32, usize)> {
        let entry = self.whole[bits.peek(LOOK) as usize];
        if entry == 0 {
            return None;
        }
        bits.skip(entry as u32 & 0xFF);
        Some((entry >> 16, (entry as usize >> 8) & 0xFF))
    }
}
