//! The gradient with respect to the weights by tiles: channels of the input, each a line of pixels, times pixels of the output's gradient.
//!
//! Lines hold the padding, too, so that every tap's pixels follow each other: a tap is a place to start from. Where an output's row ends
//! before a line of the input does, its gradient is zero.
// unsafe: tasks hand the multiplying kernel pointers into shared lines and scatter into disjoint weights.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::isa::{Isa, LANES};
use crate::pairs;
use crate::parallel::for_each;
use crate::tile::{PANEL, Tap};
use crate::tiles::{Piece, Products, multiply};
use crate::transpose::from_block;
use crate::weight_grad::Scatter;

/// Pixels that one step multiplies.
const STEP: usize = 2 * LANES;

/// Steps of a pass over the taps: of inputs and gradients together 32 KiB, which stay in the first-level cache.
const PASS: usize = 8;

/// How pixels lie in lines.
struct Lines {
    conv: Conv2d,
    /// Rows and columns of a stride that taps reach: each has a line of its own.
    phases: usize,
    /// Pixels from one row to the next.
    pitch: usize,
    /// Pixels of an output's line: whole steps.
    outputs: usize,
    /// Pixels of an input's line, of every phase of the stride: all that a tap may begin with, and the steps from there.
    inputs: usize,
}

impl Lines {
    fn of(conv: &Conv2d, input: &Blocked, grad: &Blocked) -> Self {
        let pitch = (input.width() + 2 * conv.padding).div_ceil(conv.stride);
        let outputs = (grad.height() * pitch).next_multiple_of(STEP);
        let furthest = (conv.kernel - 1) / conv.stride;
        Self {
            conv: *conv,
            phases: conv.kernel.min(conv.stride),
            pitch,
            outputs,
            inputs: (furthest * pitch + furthest + outputs).next_multiple_of(2),
        }
    }

    /// Where the lines of a channel have the pixel of the padded input: the place, and the end of its line.
    fn place(&self, y: usize, x: usize) -> (usize, usize) {
        let stride = self.conv.stride;
        let line = (y % stride * self.phases + x % stride) * self.inputs;
        let place = y / stride * self.pitch + x / stride;
        (line + place, line + self.inputs)
    }

    /// Words of a channel's lines.
    fn channel(&self) -> usize {
        self.phases.pow(2) * self.inputs / 2
    }

    /// `[batch][channels][phase][line]` of bf16.
    fn of_input(&self, input: &Blocked, isa: Isa) -> Buffer {
        let Conv2d {
            stride, padding, ..
        } = self.conv;
        let width = input.width();
        let plane = input.height() * width * LANES;
        let mut lines = Buffer::zeroed(input.batch() * input.blocks() * LANES * self.channel());
        let blocks = lines.chunks_mut(LANES * self.channel());
        for_each(input.data.chunks(plane).zip(blocks), |(from, to)| {
            let mut row = Buffer::stale(LANES * width);
            for (y, pixels) in from.chunks(width * LANES).enumerate() {
                if (y + padding) % stride >= self.phases {
                    continue;
                }
                // SAFETY: the pixels of a row are as many as there is room for, of sixteen channels.
                unsafe {
                    from_block(
                        isa,
                        pixels.as_ptr(),
                        LANES,
                        row.as_mut_ptr(),
                        width,
                        LANES,
                        width,
                    );
                }
                for (values, to) in row.chunks(width).zip(to.chunks_mut(self.channel())) {
                    let halves = pairs::halves_mut(to);
                    for phase in 0..self.phases {
                        let first = (phase + padding * (stride - 1)) % stride;
                        let (place, end) = self.place(y + padding, first + padding);
                        // Rows that no tap reaches have no place.
                        let places = halves[..end].get_mut(place..).unwrap_or_default();
                        let values = values.get(first..).unwrap_or_default();
                        for (to, value) in places.iter_mut().zip(values.iter().step_by(stride)) {
                            *to = pairs::half(*value);
                        }
                    }
                }
            }
        });
        lines
    }

    /// `[batch][channels / 16][line / 2][16]` of paired pixels.
    fn of_grad(&self, grad: &Blocked) -> Buffer {
        let row = grad.width() * LANES;
        let mut lines = Buffer::stale(grad.batch() * grad.blocks() * self.outputs / 2 * LANES);
        let planes = lines.chunks_mut(self.outputs / 2 * LANES);
        for_each(
            grad.data.chunks(grad.height() * row).zip(planes),
            |(from, to)| {
                let mut line = Buffer::zeroed(self.outputs * LANES);
                for (y, pixels) in from.chunks(row).enumerate() {
                    line[y * self.pitch * LANES..][..row].copy_from_slice(pixels);
                }
                pairs::pair_vectors(&line, LANES, 2 * LANES, to);
            },
        );
        lines
    }
}

impl Conv2d {
    /// The gradient of the weights on an instruction set that multiplies tiles.
    pub(crate) fn tiled_weight_grad(
        &self,
        isa: Isa,
        input: &Blocked,
        grad: &Blocked,
        weight_grad: &mut [f32],
    ) {
        let lines = Lines::of(self, input, grad);
        let (inputs, grads) = (lines.of_input(input, isa), lines.of_grad(grad));
        let (in_blocks, out_blocks) = (input.blocks(), grad.blocks());
        let taps = self.kernel * self.kernel;
        let out_line = lines.outputs / 2 * LANES;
        let steps: Vec<Tap> = (0..PASS)
            .map(|step| Tap {
                a: (step * LANES) as isize,
                panel: step * LANES * LANES,
            })
            .collect();
        let target = Scatter::new(self, weight_grad);
        for_each(0..out_blocks.div_ceil(2) * in_blocks.div_ceil(2), |task| {
            let (panel, first) = (
                task / in_blocks.div_ceil(2),
                task % in_blocks.div_ceil(2) * 2,
            );
            let blocks = (in_blocks - first).min(2);
            let mut sums = Buffer::stale(blocks * taps * LANES * PANEL);
            let out = sums.as_mut_ptr();
            for n in 0..input.batch() {
                let images = &inputs[(n * in_blocks + first) * LANES * lines.channel()..];
                let b = &grads[(n * out_blocks + 2 * panel) * out_line..];
                let all = lines.outputs / STEP;
                for pass in (0..all).step_by(PASS) {
                    let of = |(tap, block): (usize, usize)| {
                        let (place, _) = lines.place(tap / self.kernel, tap % self.kernel);
                        let channels = images[block * LANES * lines.channel()..].as_ptr();
                        Piece {
                            a: channels
                                .cast::<u16>()
                                .wrapping_add(place + pass * STEP)
                                .cast(),
                            out: out.wrapping_add((block * taps + tap) * LANES * PANEL),
                        }
                    };
                    // A block without a neighbour is its own.
                    let both = |tap| [(tap, 0), (tap, blocks - 1)];
                    let pieces: Vec<Piece> = (0..taps).flat_map(both).map(of).collect();
                    let products = Products {
                        rows: LANES,
                        pieces: &pieces,
                        steps: &steps[..PASS.min(all - pass)],
                        a_row: lines.channel(),
                        b: b[pass * LANES * LANES..].as_ptr(),
                        b_row: LANES,
                        b_vec: out_line,
                        out_row: PANEL,
                        out_vec: LANES,
                        vecs: (out_blocks - 2 * panel).min(2),
                        accumulate: n + pass > 0,
                    };
                    // SAFETY: every channel has its lines, in which each tap finds as many steps as the gradient has.
                    unsafe { multiply(isa, &products) };
                }
            }
            for (block, sums) in sums.chunks_mut(taps * LANES * PANEL).enumerate() {
                // SAFETY: this task alone writes the weights of its panel and blocks.
                unsafe { target.write(panel, first + block, sums, PANEL, LANES * PANEL) };
            }
        });
    }
}
