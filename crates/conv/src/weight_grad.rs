//! The gradient with respect to the weights.
//!
//! Every weight is summed by one task in a fixed order (pixels of an image, then images), so that the result does not
//! depend on scheduling.
// unsafe: tasks hand the multiplying kernel pointers into shared inputs and scatter into disjoint weights.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::convolution::Convolution;
use crate::isa::{Isa, LANES, Multiplier};
use crate::outer::{Outer, run_outer};
use crate::pairs;
use crate::parallel::{Shared, for_each};
use crate::tile::PANEL;
use crate::transpose::from_block;
use crate::winograd;

impl Conv2d {
    pub(crate) fn blocked_weight_grad(
        &self,
        input: &Blocked,
        grad: &Blocked,
        weight_grad: &mut [f32],
    ) {
        if self.uses_winograd() {
            winograd::weight_grad(self, input, grad, weight_grad);
        } else {
            self.direct_weight_grad(input, grad, weight_grad);
        }
    }

    /// Outputs whose input at kernel position `k` lies inside the image.
    fn inside(&self, k: usize, size: usize) -> Range<usize> {
        let first = self.padding.saturating_sub(k).div_ceil(self.stride);
        let end = (size + self.padding)
            .saturating_sub(k)
            .div_ceil(self.stride)
            .min(self.output(size));
        first..end.max(first)
    }

    fn direct_weight_grad(&self, input: &Blocked, grad: &Blocked, weight_grad: &mut [f32]) {
        let multiplier = self.multiplier();
        if multiplier == Multiplier::Pairs && self.kernel == 1 {
            return self.line_weight_grad(input, grad, weight_grad);
        }
        if let Multiplier::Tiles(isa) = multiplier {
            return self.tiled_weight_grad(isa, input, grad, weight_grad);
        }
        // Pixels of a step, and what a step reads of both maps. Where the second pixel of the last step is no output, it is
        // zero in one of them: outside its row.
        let (per_step, rounded, paired);
        let [inputs, grads]: [&[f32]; 2] = if multiplier.is_paired() {
            paired = [
                pairs::pair_pixels(input, self.stride),
                pairs::pair_pixels(grad, 1),
            ];
            per_step = 2;
            paired.each_ref().map(Buffer::as_slice)
        } else {
            per_step = 1;
            rounded = self
                .bf16
                .then(|| [input, grad].map(|map| map.rounded(self.isa)));
            match &rounded {
                Some(maps) => maps.each_ref().map(Buffer::as_slice),
                None => [&input.data, &grad.data],
            }
        };
        let (in_blocks, out_blocks) = (input.blocks(), grad.blocks());
        let taps = self.kernel * self.kernel;
        let (in_plane, out_plane) = (
            input.height() * input.width() * LANES,
            grad.height() * grad.width() * LANES,
        );
        let target = Scatter::new(self, weight_grad);
        for_each(0..out_blocks.div_ceil(2) * in_blocks, |task| {
            let (panel, block) = (task / in_blocks, task % in_blocks);
            let vecs = (out_blocks - 2 * panel).min(2);
            let mut sums = Buffer::zeroed(taps * LANES * PANEL);
            for n in 0..input.batch() {
                for tap in 0..taps {
                    let (ky, kx) = (tap / self.kernel, tap % self.kernel);
                    let rows = self.inside(ky, input.height());
                    let cols = self.inside(kx, input.width());
                    if rows.is_empty() || cols.is_empty() {
                        continue;
                    }
                    let in_y = rows.start * self.stride + ky - self.padding;
                    let in_x = cols.start * self.stride + kx - self.padding;
                    let a =
                        (n * in_blocks + block) * in_plane + (in_y * input.width() + in_x) * LANES;
                    let b = (n * out_blocks + 2 * panel) * out_plane
                        + (rows.start * grad.width() + cols.start) * LANES;
                    let outer = Outer {
                        a: inputs[a..].as_ptr(),
                        a_step: per_step * self.stride * LANES,
                        a_line: self.stride * input.width() * LANES,
                        b: grads[b..].as_ptr(),
                        b_step: per_step * LANES,
                        b_line: grad.width() * LANES,
                        b_vec: out_plane,
                        steps: cols.len().div_ceil(per_step),
                        lines: rows.len(),
                        vecs,
                        out: sums[tap * LANES * PANEL..].as_mut_ptr(),
                        accumulate: n > 0,
                    };
                    // SAFETY: the ranges of rows and columns keep inputs and gradients inside their maps.
                    unsafe { run_outer(multiplier, &outer) };
                }
            }
            // SAFETY: this task alone writes the weights of its panel and block.
            unsafe { target.write(panel, block, &mut sums, PANEL, LANES * PANEL) };
        });
    }

    /// For 1x1 kernels and pairs of bf16: both maps are lines of paired pixels.
    fn line_weight_grad(&self, input: &Blocked, grad: &Blocked, weight_grad: &mut [f32]) {
        let (in_blocks, out_blocks) = (input.blocks(), grad.blocks());
        let inputs = pairs::pair_line(input, self.stride);
        let grads = pairs::pair_line(grad, 1);
        let plane = (grad.height() * grad.width()).div_ceil(2) * LANES;
        let target = Scatter::new(self, weight_grad);
        for_each(0..out_blocks.div_ceil(2) * in_blocks, |task| {
            let (panel, block) = (task / in_blocks, task % in_blocks);
            let mut sums = Buffer::stale(LANES * PANEL);
            for n in 0..input.batch() {
                let outer = Outer {
                    a: inputs[(n * in_blocks + block) * plane..].as_ptr(),
                    a_step: LANES,
                    a_line: 0,
                    b: grads[(n * out_blocks + 2 * panel) * plane..].as_ptr(),
                    b_step: LANES,
                    b_line: 0,
                    b_vec: plane,
                    steps: plane / LANES,
                    lines: 1,
                    vecs: (out_blocks - 2 * panel).min(2),
                    out: sums.as_mut_ptr(),
                    accumulate: n > 0,
                };
                // SAFETY: every block of an image has a plane of pairs.
                unsafe { run_outer(Multiplier::Pairs, &outer) };
            }
            // SAFETY: this task alone writes the weights of its panel and block.
            unsafe { target.write(panel, block, &mut sums, PANEL, LANES * PANEL) };
        });
    }
}

/// Writes blocks of weight gradients to `[c_out, c_in, kernel, kernel]`.
pub(crate) struct Scatter<'a> {
    c_in: usize,
    c_out: usize,
    taps: usize,
    isa: Isa,
    /// Round the gradients to bf16.
    round: bool,
    out: Shared<'a>,
}

impl<'a> Scatter<'a> {
    /// # Panics
    /// If `weight_grad` has not the convolution's weights.
    pub(crate) fn new(conv: &Conv2d, weight_grad: &'a mut [f32]) -> Self {
        assert_eq!(
            weight_grad.len(),
            conv.weight_len(),
            "weights of another shape than the convolution's"
        );
        let taps = conv.kernel * conv.kernel;
        Self {
            c_in: conv.c_in,
            c_out: conv.c_out,
            taps,
            isa: conv.isa,
            round: conv.bf16,
            out: Shared::new(weight_grad),
        }
    }

    /// Writes the weights between output panel `panel` and input block `block`; a tap's 32 values of an input channel of
    /// the block lie at `sums[lane * lane_row + tap * tap_row]`.
    ///
    /// # Safety
    /// No other task writes the weights of this panel and block meanwhile.
    pub(crate) unsafe fn write(
        &self,
        panel: usize,
        block: usize,
        sums: &mut [f32],
        lane_row: usize,
        tap_row: usize,
    ) {
        assert!(sums.len() >= (LANES - 1) * lane_row + (self.taps - 1) * tap_row + PANEL);
        if self.round {
            pairs::round(self.isa, sums);
        }
        for half in [0, LANES] {
            let out = panel * PANEL + half;
            let channels = LANES.min(self.c_out.saturating_sub(out));
            if channels == 0 {
                continue;
            }
            for lane in 0..LANES.min(self.c_in - block * LANES) {
                let plane = self.c_in * self.taps;
                let to = self
                    .out
                    .at(out * plane + (block * LANES + lane) * self.taps);
                let from = sums[lane * lane_row + half..].as_ptr();
                // SAFETY: the sums reach as far, as was checked; so do the weights, which the caller lets no other task write.
                unsafe { from_block(self.isa, from, tap_row, to, plane, channels, self.taps) };
            }
        }
    }
}
