//! Weight gradient of the 3x3 stride-1 convolution, summed over tiles in Winograd's domain.
//!
//! Chunks of tiles follow each other in order and every product point is summed by one task: the result does not depend
//! on scheduling.
// unsafe: tasks hand the kernels pointers into disjoint parts of shared buffers.
#![allow(unsafe_code)]

use super::axis::POINTS;
use super::tiles::{Grid, PixelJob, Pixels, Tiles, point_len, transform_pixels};
use super::weights::{WeightGradJob, transform_weight_grads};
use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::isa::{LANES, Multiplier};
use crate::outer::{Outer, run_outer};
use crate::parallel::{Shared, for_each};
use crate::tile::PANEL;
use crate::weight_grad::Scatter;

/// Bytes of transformed inputs and gradients that a chunk may fill: they are written, then read, through the
/// third-level cache.
const CHUNK_BYTES: usize = 8 << 20;

/// Writes the gradient with respect to the weights, `[c_out, c_in, 3, 3]`, to `to`.
pub(crate) fn weight_grad(conv: &Conv2d, input: &Blocked, grad: &Blocked, to: &mut [f32]) {
    let grid = Grid::of(input);
    let (in_blocks, out_blocks) = (input.blocks(), grad.blocks());
    let panels = out_blocks.div_ceil(2);
    let room = (CHUNK_BYTES / (POINTS * (in_blocks + out_blocks) * LANES * 4))
        .clamp(64, 512)
        .min(grid.tiles());
    let mut points = Buffer::stale(POINTS * point_len(in_blocks * room));
    let mut grads = Buffer::stale(POINTS * point_len(out_blocks * room));
    // [point][panel][in block][16][32]
    let block_len = LANES * PANEL;
    let sum_len = point_len(panels * in_blocks * 2 * LANES);
    let mut sums = Buffer::stale(POINTS * sum_len);
    for first in (0..grid.tiles()).step_by(room) {
        let tiles = Tiles {
            grid,
            first,
            count: room.min(grid.tiles() - first),
        };
        let (to_points, to_grads) = (Shared::new(&mut points), Shared::new(&mut grads));
        for_each(0..in_blocks + out_blocks, |task| {
            let (pixels, map, block, to) = if task < in_blocks {
                (Pixels::Inputs, input, task, to_points)
            } else {
                (Pixels::Gradients, grad, task - in_blocks, to_grads)
            };
            let job = PixelJob {
                pixels,
                round: conv.bf16,
                map: &map.data,
                in_blocks: map.blocks(),
                tiles,
                block,
                blocks: 1,
                points: to.at(0),
                room,
            };
            // SAFETY: each task transforms one block of channels of one of the two maps.
            unsafe { transform_pixels(conv.isa, &job) };
        });
        for_each(sums.chunks_mut(sum_len).enumerate(), |(point, sums)| {
            let points = &points[point * point_len(in_blocks * room)..];
            let grads = &grads[point * point_len(out_blocks * room)..];
            for panel in 0..panels {
                for block in 0..in_blocks {
                    let outer = Outer {
                        a: points[block * room * LANES..].as_ptr(),
                        a_step: LANES,
                        a_line: 0,
                        b: grads[2 * panel * room * LANES..].as_ptr(),
                        b_step: LANES,
                        b_line: 0,
                        b_vec: room * LANES,
                        steps: tiles.count,
                        lines: 1,
                        vecs: (out_blocks - 2 * panel).min(2),
                        out: sums[(panel * in_blocks + block) * block_len..].as_mut_ptr(),
                        accumulate: first > 0,
                    };
                    // SAFETY: the points of a block are `room` lines, and a block of sums is 16 rows of a panel.
                    unsafe { run_outer(Multiplier::Floats(conv.isa), &outer) };
                }
            }
        });
    }
    let target = Scatter::new(conv, to);
    for_each(0..panels * in_blocks, |task| {
        let (panel, block) = (task / in_blocks, task % in_blocks);
        let mut taps = Buffer::stale(9 * block_len);
        let job = WeightGradJob {
            points: &sums[task * block_len..],
            point_len: sum_len,
            rows: LANES,
            taps: &mut taps,
        };
        // SAFETY: every point has the sums of this block, and `taps` holds as many rows; this task alone writes the weights of
        // its panel and block.
        unsafe {
            transform_weight_grads(conv.isa, job);
            target.write(panel, block, &mut taps, 9 * PANEL, PANEL);
        }
    });
}
