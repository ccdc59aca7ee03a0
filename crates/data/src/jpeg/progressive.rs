//! The four kinds of progressive scans (ITU-T T.81, annex G).

use super::JpegError;
use super::bits::Bits;
use super::huffman::Huffman;
use super::scan::Scan;
use super::tables::ZIGZAG;

/// How the blocks of a scan are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Sequential,
    DcFirst,
    DcRefine,
    AcFirst,
    AcRefine,
}

impl Pass {
    /// The kind of a progressive scan.
    pub(super) fn of(scan: &Scan<'_>) -> Self {
        match (scan.start, scan.high) {
            (0, 0) => Self::DcFirst,
            (0, _) => Self::DcRefine,
            (_, 0) => Self::AcFirst,
            _ => Self::AcRefine,
        }
    }
}

/// How many blocks from here on have nothing more in this band.
#[derive(Default)]
pub(super) struct EndOfBand {
    run: u32,
}

impl EndOfBand {
    /// A run of 2^r plus `r` extra bits.
    fn start(&mut self, bits: &mut Bits<'_>, r: u32) {
        self.run = (1 << r) + bits.take(r);
    }

    /// First scan of an AC band.
    pub(super) fn first(
        &mut self,
        bits: &mut Bits<'_>,
        ac: &Huffman,
        scan: &Scan<'_>,
        block: &mut [i16; 64],
    ) -> Result<(), JpegError> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(());
        }
        let mut k = scan.start;
        while k <= scan.end {
            bits.refill();
            let symbol = ac.symbol(bits)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 {
                if run < 15 {
                    self.start(bits, run);
                    self.run -= 1;
                    return Ok(());
                }
                k += 16;
                continue;
            }
            k += run as usize;
            let value = bits.signed(size).wrapping_shl(scan.low) as i16;
            let position = ZIGZAG.get(k).ok_or(JpegError::Corrupt(
                "a coefficient past the end of its block",
            ))?;
            block[usize::from(*position)] = value;
            k += 1;
        }
        Ok(())
    }

    /// A refining scan of an AC band: one more bit for coefficients that are not 0, and coefficients that become 1 at this bit.
    pub(super) fn refine(
        &mut self,
        bits: &mut Bits<'_>,
        ac: &Huffman,
        scan: &Scan<'_>,
        block: &mut [i16; 64],
    ) -> Result<(), JpegError> {
        let one = 1i16 << scan.low;
        let mut k = scan.start;
        if self.run == 0 {
            while k <= scan.end {
                bits.refill();
                let symbol = ac.symbol(bits)?;
                let (mut run, size) = (symbol >> 4, symbol & 15);
                let mut value = 0;
                if size != 0 {
                    value = if bits.take(1) == 1 { one } else { -one };
                } else if run < 15 {
                    self.start(bits, run);
                    break;
                }
                while k <= scan.end {
                    let coefficient = &mut block[usize::from(ZIGZAG[k])];
                    if *coefficient != 0 {
                        correct(coefficient, bits.bit(), one);
                    } else if run == 0 {
                        *coefficient = value;
                        k += 1;
                        break;
                    } else {
                        run -= 1;
                    }
                    k += 1;
                }
            }
        }
        if self.run > 0 {
            for &position in ZIGZAG.get(k..=scan.end).unwrap_or(&[]) {
                let coefficient = &mut block[usize::from(position)];
                if *coefficient != 0 {
                    correct(coefficient, bits.bit(), one);
                }
            }
            self.run -= 1;
        }
        Ok(())
    }
}

/// Adds the new bit away from 0, once.
fn correct(coefficient: &mut i16, bit: bool, one: i16) {
    if bit && *coefficient & one == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient >= 0 { one } else { -one });
    }
}
