//! Weights packed into panels of 32 output channels.

use crate::buffer::Buffer;
use crate::isa::LANES;
use crate::parallel::{Shared, for_each};
use crate::tile::PANEL;

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
    /// Taps in reverse order.
    pub(crate) flip: bool,
}

impl<'a> WeightView<'a> {
    /// Of a contiguous `[out, in, kernel, kernel]`.
    pub(crate) fn forward(data: &'a [f32], c_out: usize, c_in: usize, kernel: usize) -> Self {
        let taps = kernel * kernel;
        Self { data, c_out, c_in, taps, out_stride: c_in * taps, in_stride: taps, flip: false }
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

    pub(crate) fn flipped(self) -> Self {
        Self { flip: !self.flip, ..self }
    }

    #[inline]
    pub(crate) fn at(&self, out: usize, input: usize, tap: usize) -> f32 {
        let tap = if self.flip { self.taps - 1 - tap } else { tap };
        self.data[out * self.out_stride + input * self.in_stride + tap]
    }

    /// Panels of output channels.
    pub(crate) fn panels(&self) -> usize {
        self.c_out.div_ceil(PANEL)
    }

    /// `[panel][in / 16][tap][16][32]`, padded with zeros.
    pub(crate) fn pack_blocked(&self) -> Buffer {
        let blocks = self.c_in.div_ceil(LANES);
        let panel_len = blocks * self.taps * LANES * PANEL;
        let mut packed = Buffer::stale(self.panels() * panel_len);
        let out = Shared::new(&mut packed);
        for_each(self.panels() * blocks, |task| {
            let (panel, block) = (task / blocks, task % blocks);
            let base = panel * panel_len + block * self.taps * LANES * PANEL;
            // The rows of this panel and block are this task's own.
            let rows = crate::parallel::part(out, base, self.taps * LANES * PANEL);
            for lane in 0..LANES {
                let input = block * LANES + lane;
                for k in 0..PANEL {
                    let o = panel * PANEL + k;
                    for tap in 0..self.taps {
                        let inside = input < self.c_in && o < self.c_out;
                        rows[(tap * LANES + lane) * PANEL + k] = if inside { self.at(o, input, tap) } else { 0.0 };
                    }
                }
            }
        });
        packed
    }

    /// `[panel][tap][in][32]`, padded with zeros: taps of a kernel row and their channels follow each other.
    pub(crate) fn pack_interleaved(&self) -> Buffer {
        let panel_len = self.taps * self.c_in * PANEL;
        let mut packed = Buffer::zeroed(self.panels() * panel_len);
        for o in 0..self.c_out {
            for input in 0..self.c_in {
                for tap in 0..self.taps {
                    let row = tap * self.c_in + input;
                    packed[o / PANEL * panel_len + row * PANEL + o % PANEL] = self.at(o, input, tap);
                }
            }
        }
        packed
    }
}

/// A bias per output channel, padded with zeros to whole panels.
pub(crate) fn pack_bias(bias: &[f32]) -> Buffer {
    let mut packed = Buffer::zeroed(bias.len().div_ceil(PANEL) * PANEL);
    packed[..bias.len()].copy_from_slice(bias);
    packed
}
