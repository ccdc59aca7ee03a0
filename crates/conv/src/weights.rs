//! Weights packed into panels of 32 output channels.

use std::ops::Range;

use crate::buffer::Buffer;
use crate::isa::{Isa, LANES, Multiplier};
use crate::pairs;
use crate::parallel::for_each;
use crate::simd::nearest_bf16;
use crate::tile::PANEL;
use crate::transpose::to_block;

/// Weights seen as `[out][in][tap]`, whatever convolution they come from.
#[derive(Clone, Copy)]
pub(crate) struct WeightView<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) c_out: usize,
    pub(crate) c_in: usize,
    /// Taps: kernel height times kernel width.
    pub(crate) taps: usize,
    pub(crate) out_stride: usize,
    pub(crate) in_stride: usize,
    /// Round them to bf16.
    pub(crate) round: bool,
}

impl<'a> WeightView<'a> {
    /// Of a contiguous `[out, in, kernel, kernel]`.
    pub(crate) fn forward(data: &'a [f32], c_out: usize, c_in: usize, kernel: usize) -> Self {
        let taps = kernel * kernel;
        Self {
            data,
            c_out,
            c_in,
            taps,
            out_stride: c_in * taps,
            in_stride: taps,
            round: false,
        }
    }

    /// The same weights rounded to bf16, if `round` says so.
    pub(crate) fn rounded(self, round: bool) -> Self {
        Self { round, ..self }
    }

    /// The same weights with the roles of input and output exchanged.
    pub(crate) fn swapped(self) -> Self {
        Self {
            c_out: self.c_in,
            c_in: self.c_out,
            out_stride: self.in_stride,
            in_stride: self.out_stride,
            ..self
        }
    }

    #[inline]
    fn at(&self, out: usize, input: usize, tap: usize) -> f32 {
        let weight = self.data[out * self.out_stride + input * self.in_stride + tap];
        if self.round {
            nearest_bf16(weight)
        } else {
            weight
        }
    }

    /// Writes the taps of one input channel and 32 output channels to `rows[tap * row + k]`; zeros where the view ends.
    pub(crate) fn gather(
        &self,
        isa: Isa,
        panel: usize,
        input: usize,
        rows: &mut [f32],
        row: usize,
    ) {
        assert!(row >= PANEL && rows.len() >= (self.taps - 1) * row + PANEL);
        for half in [0, LANES] {
            let out = panel * PANEL + half;
            let channels = if input < self.c_in {
                LANES.min(self.c_out.saturating_sub(out))
            } else {
                0
            };
            if channels == LANES {
                let from = &self.data[out * self.out_stride + input * self.in_stride..];
                let to = &mut rows[half..];
                to_block(isa, from, self.out_stride, LANES, self.taps, to, row);
                if self.round {
                    for lanes in to.chunks_mut(row).take(self.taps) {
                        pairs::round(isa, &mut lanes[..LANES]);
                    }
                }
            } else {
                for (tap, lanes) in rows.chunks_mut(row).take(self.taps).enumerate() {
                    for (k, lane) in lanes[half..half + LANES].iter_mut().enumerate() {
                        *lane = if k < channels {
                            self.at(out + k, input, tap)
                        } else {
                            0.0
                        };
                    }
                }
            }
        }
    }

    /// Panels of output channels.
    pub(crate) fn panels(&self) -> usize {
        self.c_out.div_ceil(PANEL)
    }

    /// Weights for products of blocks of channels, 16 or 32 of them: `[panel][in / block][tap][block][32]`, padded with zeros. Of pairs,
    /// neighbouring rows of 32 make one row of words.
    pub(crate) fn pack_blocked(&self, isa: Isa, multiplier: Multiplier) -> Buffer {
        let channels = multiplier.block_channels();
        let blocks = self.c_in.div_ceil(channels);
        let block_len = self.taps * multiplier.block_words() * PANEL;
        let mut packed = Buffer::stale(self.panels() * blocks * block_len);
        for_each(packed.chunks_mut(block_len).enumerate(), |(task, words)| {
            let (panel, block) = (task / blocks, task % blocks);
            let inputs = block * channels..(block + 1) * channels;
            if multiplier.is_paired() {
                let mut rows = Buffer::stale(2 * block_len);
                // Pairing rounds.
                let exact = self.rounded(false);
                exact.gather_block(isa, panel, inputs, &mut rows);
                pairs::pair_rows(&rows, PANEL, words);
            } else {
                self.gather_block(isa, panel, inputs, words);
            }
        });
        packed
    }

    /// `[tap][inputs][32]`
    fn gather_block(&self, isa: Isa, panel: usize, inputs: Range<usize>, rows: &mut [f32]) {
        let row = inputs.len() * PANEL;
        for (input, lane) in inputs.zip(0..) {
            self.gather(isa, panel, input, &mut rows[lane * PANEL..], row);
        }
    }

    /// `[panel][kernel row][column, in][32]`, padded with zeros: a kernel row is a run of taps and their channels. Of pairs, neighbours
    /// of a run make one row of words, and an odd run is followed by a zero.
    pub(crate) fn pack_interleaved(&self, kernel: usize, multiplier: Multiplier) -> Buffer {
        let run = kernel * self.c_in;
        let paired = multiplier.is_paired();
        let room = if paired { run.next_multiple_of(2) } else { run };
        let panel_len = kernel * room * PANEL;
        let mut packed = Buffer::zeroed(self.panels() * panel_len);
        for o in 0..self.c_out {
            for input in 0..self.c_in {
                for tap in 0..self.taps {
                    let row = tap / kernel * room + tap % kernel * self.c_in + input;
                    packed[o / PANEL * panel_len + row * PANEL + o % PANEL] =
                        self.at(o, input, tap);
                }
            }
        }
        if !paired {
            return packed;
        }
        let mut words = Buffer::stale(packed.len() / 2);
        pairs::pair_rows(&packed, PANEL, &mut words);
        words
    }
}

/// One value for each of `channels` channels, padded with zeros to whole panels.
pub(crate) fn pack_bias(values: &[f32], channels: usize) -> Buffer {
    assert_eq!(values.len(), channels, "one value per channel is needed");
    let mut packed = Buffer::zeroed(channels.div_ceil(PANEL) * PANEL);
    packed[..channels].copy_from_slice(values);
    packed
}
