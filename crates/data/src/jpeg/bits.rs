//! Bits of entropy-coded data, most significant first, with stuffed zero bytes removed.

use super::JpegError;

/// A bit reader over one entropy-coded segment.
///
/// Past the end of the segment it delivers zero bits and counts them; [`check`](Self::check) turns their use into an error, so that the
/// inner loops need no test.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    position: usize,
    /// Bits not yet used, from the top.
    window: u64,
    /// How many of them are valid.
    count: u32,
    /// How many zero bits were made up.
    padding: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8], position: usize) -> Self {
        Self {
            data,
            position,
            window: 0,
            count: 0,
            padding: 0,
        }
    }

    /// Makes at least 48 bits available.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if self.count >= 48 {
            return;
        }
        if let Some(next) = self.data.get(self.position..self.position + 8) {
            let mut word = [0; 8];
            word.copy_from_slice(next);
            let word = u64::from_be_bytes(word);
            // No byte is 0xFF (a byte of the complement is 0): take as many as fit at once.
            let inverted = !word;
            let has_ff =
                inverted.wrapping_sub(0x0101_0101_0101_0101) & !inverted & 0x8080_8080_8080_8080;
            if has_ff == 0 {
                self.window |= word >> self.count;
                self.position += ((63 - self.count) >> 3) as usize;
                self.count |= 56;
                return;
            }
        }
        self.refill_by_bytes();
    }

    #[inline(never)]
    fn refill_by_bytes(&mut self) {
        while self.count <= 56 {
            let byte = match (
                self.data.get(self.position),
                self.data.get(self.position + 1),
            ) {
                (Some(0xFF), Some(0)) => {
                    self.position += 2;
                    0xFF
                }
                // A marker, or the end of the file: stay there.
                (Some(0xFF), _) | (None, _) => {
                    self.padding += 8;
                    0
                }
                (Some(&byte), _) => {
                    self.position += 1;
                    byte
                }
            };
            // Bits below `count` may already hold the start of this very byte; or-ing it again changes nothing.
            self.window |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `n` bits (1 to 32) without using them; call [`refill`](Self::refill) before.
    #[inline(always)]
    pub(super) fn peek(&self, n: u32) -> u32 {
        (self.window >> (64 - n)) as u32
    }

    /// Uses `n` bits.
    #[inline(always)]
    pub(super) fn skip(&mut self, n: u32) {
        self.window <<= n;
        self.count -= n;
    }

    /// Takes `n` bits (0 to 16) after a refill.
    #[inline(always)]
    pub(super) fn take(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let bits = self.peek(n);
        self.skip(n);
        bits
    }

    /// Takes one bit.
    #[inline(always)]
    pub(super) fn bit(&mut self) -> bool {
        self.refill();
        self.take(1) == 1
    }

    /// Takes a signed value of `n` bits in JPEG's coding: a leading 0 stands for negative.
    #[inline(always)]
    pub(super) fn signed(&mut self, n: u32) -> i32 {
        let bits = self.take(n) as i32;
        extend(bits, n)
    }

    /// An error if made-up bits were used.
    pub(super) fn check(&self) -> Result<(), JpegError> {
        if self.count >= self.padding {
            return Ok(());
        }
        Err(if self.position >= self.data.len() {
            JpegError::Truncated
        } else {
            JpegError::Corrupt("image data end early")
        })
    }

    /// Position of the marker after the segment; bytes that belong to nothing before it are skipped, as libjpeg does.
    pub(super) fn marker_position(&self) -> Result<usize, JpegError> {
        // Whole bytes still in the window were read but not used; going back over them could only meet stuffed bytes, never a marker.
        let mut at = self.position;
        loop {
            match (self.data.get(at), self.data.get(at + 1)) {
                (Some(0xFF), Some(&next)) if next != 0 && next != 0xFF => return Ok(at),
                (Some(_), Some(_)) => at += 1,
                _ => return Err(JpegError::Truncated),
            }
        }
    }

    /// Starts anew after the restart marker `number` (0 to 7).
    pub(super) fn restart(&mut self, number: u8) -> Result<(), JpegError> {
        self.check()?;
        let at = self.marker_position()?;
        if self.data[at + 1] != 0xD0 + number {
            return Err(JpegError::Corrupt("a restart marker is missing"));
        }
        *self = Self::new(self.data, at + 2);
        Ok(())
    }
}

/// JPEG's EXTEND: `n` bits to a signed value.
#[inline(always)]
pub(super) fn extend(bits: i32, n: u32) -> i32 {
    if n == 0 {
        return 0;
    }
    if bits < 1 << (n - 1) {
        bits - (1 << n) + 1
    } else {
        bits
    }
}
