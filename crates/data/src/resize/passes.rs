//! The two passes.

use super::axis::{Axis, PRECISION_BITS};
use crate::simd::Kernel;

/// Rounds a fixed-point sum to u8.
#[inline(always)]
fn narrow(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// Values taken together, so that their sums stay in registers.
const LANES: usize = 32;

/// Sums of `taps` values times weights per output value, rounded to u8; both in blocks of `LANES`.
#[inline(always)]
fn weigh<'a>(
    taps: impl Iterator<Item = (&'a [u8; LANES], &'a [i32; LANES])>,
    out: &mut [u8; LANES],
) {
    let mut sums = [1i32 << (PRECISION_BITS - 1); LANES];
    for (values, weights) in taps {
        for ((sum, &value), weight) in sums.iter_mut().zip(values).zip(weights) {
            *sum += i32::from(value) * weight;
        }
    }
    for (value, sum) in out.iter_mut().zip(sums) {
        *value = narrow(sum);
    }
}

/// Buffers of the horizontal pass.
#[derive(Default)]
pub(super) struct Rows {
    /// Per tap, a weight for every output byte.
    weights: Vec<[i32; LANES]>,
    /// Per tap, the source byte of every output byte.
    gathered: Vec<[u8; LANES]>,
    /// One finished row.
    sums: Vec<[u8; LANES]>,
    /// One source row with zeros after the last pixel, for taps of weight 0 there.
    padded: Vec<u8>,
}

/// Every row, left to right.
pub(super) struct Horizontal<'a, const CHANNELS: usize> {
    pub(super) pixels: &'a [u8],
    pub(super) axis: &'a Axis,
    pub(super) width: usize,
    pub(super) rows: &'a mut Rows,
    pub(super) out: &'a mut [u8],
}

impl<const CHANNELS: usize> Kernel for Horizontal<'_, CHANNELS> {
    type Output = ();

    /// The first, second, ... source pixel of every output pixel is gathered into a row of its own; the rest is the same for all bytes.
    #[inline(always)]
    fn run(self) {
        let Self {
            pixels,
            axis,
            width,
            rows,
            out,
        } = self;
        let (row_len, out_len, taps) = (width * CHANNELS, axis.first.len() * CHANNELS, axis.stride);
        let blocks = out_len.div_ceil(LANES);
        let Rows {
            weights,
            gathered,
            sums,
            padded,
        } = rows;
        weights.clear();
        weights.resize(blocks * taps, [0; LANES]);
        for (position, own) in axis.weights.chunks_exact(taps).enumerate() {
            for (tap, weight) in own.iter().enumerate() {
                weights[tap * blocks..][..blocks].as_flattened_mut()[position * CHANNELS..]
                    [..CHANNELS]
                    .fill(*weight);
            }
        }
        // A spare block for the surplus bytes of the last pixel.
        gathered.resize(blocks * taps + 1, [0; LANES]);
        sums.resize(blocks, [0; LANES]);
        padded.clear();
        padded.resize(row_len + taps * CHANNELS + 4, 0);
        for (row, out) in pixels
            .chunks_exact(row_len)
            .zip(out.chunks_exact_mut(out_len))
        {
            padded[..row_len].copy_from_slice(row);
            for tap in 0..taps {
                gather::<CHANNELS>(
                    &padded[tap * CHANNELS..],
                    &axis.first,
                    gathered[tap * blocks..].as_flattened_mut(),
                );
            }
            for (number, sums) in sums.iter_mut().enumerate() {
                let at = |tap: usize| {
                    (
                        &gathered[tap * blocks + number],
                        &weights[tap * blocks + number],
                    )
                };
                weigh((0..taps).map(at), sums);
            }
            out.copy_from_slice(&sums.as_flattened()[..out_len]);
        }
    }
}

/// Copies the pixel at each position, four bytes at a time; the surplus byte is overwritten by the next pixel.
#[inline(always)]
fn gather<const CHANNELS: usize>(source: &[u8], positions: &[usize], out: &mut [u8]) {
    for (number, &position) in positions.iter().enumerate() {
        let (from, to) = (position * CHANNELS, number * CHANNELS);
        if let (Some(from), Some(to)) = (source.get(from..from + 4), out.get_mut(to..to + 4)) {
            to.copy_from_slice(from);
        }
    }
}

/// Every column, top to bottom.
pub(super) struct Vertical<'a> {
    pub(super) pixels: &'a [u8],
    pub(super) axis: &'a Axis,
    pub(super) row_len: usize,
    pub(super) out: &'a mut [u8],
}

impl Kernel for Vertical<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            pixels,
            axis,
            row_len,
            out,
        } = self;
        for (position, out) in out.chunks_exact_mut(row_len).enumerate() {
            let weights = &axis.weights[position * axis.stride..][..axis.count[position]];
            let rows = &pixels[axis.first[position] * row_len..][..weights.len() * row_len];
            let (blocks, rest) = out.as_chunks_mut::<LANES>();
            let done = blocks.len() * LANES;
            for (number, block) in blocks.iter_mut().enumerate() {
                let taps = rows.chunks_exact(row_len).zip(weights);
                let mut sums = [1i32 << (PRECISION_BITS - 1); LANES];
                for (row, weight) in taps {
                    for (sum, &value) in sums.iter_mut().zip(&row.as_chunks::<LANES>().0[number]) {
                        *sum += i32::from(value) * weight;
                    }
                }
                for (value, sum) in block.iter_mut().zip(sums) {
                    *value = narrow(sum);
                }
            }
            for (column, value) in rest.iter_mut().enumerate() {
                let column = rows.chunks_exact(row_len).map(|row| row[done + column]);
                let sum: i32 = column
                    .zip(weights)
                    .map(|(value, weight)| i32::from(value) * weight)
                    .sum();
                *value = narrow(sum + (1 << (PRECISION_BITS - 1)));
            }
        }
    }
}
