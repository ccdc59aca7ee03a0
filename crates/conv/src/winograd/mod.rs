//! 3x3 stride-1 convolution by Winograd's F(4x4, 3x3): six-by-six tiles of inputs give four-by-four outputs with 36
//! products instead of 144 (Lavin and Gray, 2016).
// unsafe: tasks hand the kernels pointers into disjoint parts of shared buffers.
#![allow(unsafe_code)]

mod axis;
mod grad;
mod tiles;
mod weights;

use std::ops::Range;

use axis::POINTS;
pub(crate) use grad::weight_grad;
use tiles::{Grid, InputJob, OutputJob, Tiles, point_len, transform_inputs, transform_outputs};
pub(crate) use weights::{Prepared, Source, Weights};
use weights::{WeightJob, is_large, transform, transform_weights};

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::epilogue::Epilogue;
use crate::isa::{Isa, LANES};
use crate::parallel::{Shared, for_each};
use crate::tile::{Finish, PANEL, Tap, Tile, run_tile};

/// Channel blocks of fresh weights transformed at once: half a MiB, which stays in the second-level cache.
const FRESH_BLOCKS: usize = 8;

/// Tiles whose inputs are transformed together, and of which products are made at once.
struct Split {
    group: usize,
    groups: usize,
    /// Whether groups run beside each other, or the work within one group is shared.
    across: bool,
}

fn split(tiles: usize, in_blocks: usize, out_blocks: usize) -> Split {
    let threads = rayon::current_num_threads();
    // Transformed inputs of a group stay in the second-level cache (half a MiB of it) where channels are few; where they
    // are many the weights are what must be read seldom.
    let fit = (1 << 19) / (POINTS * in_blocks * LANES * 4);
    let groups = tiles.div_ceil(fit.clamp(28, 64));
    let across = !is_large(in_blocks, out_blocks) && (threads == 1 || groups >= 2 * threads);
    let groups = if across {
        groups.div_ceil(threads) * threads
    } else {
        tiles.div_ceil(64)
    };
    let group = tiles.div_ceil(groups);
    Split {
        group,
        groups: tiles.div_ceil(group),
        across,
    }
}

fn maybe_parallel(parallel: bool, count: usize, task: impl Fn(usize) + Sync + Send) {
    if parallel {
        for_each(count, task)
    } else {
        (0..count).for_each(task)
    }
}

/// Convolves, padding 1.
pub(crate) fn run(
    isa: Isa,
    input: &Blocked,
    weights: Weights<'_>,
    epilogue: Epilogue<'_>,
    output: &mut Blocked,
) {
    let grid = Grid {
        batch: input.batch(),
        height: input.height(),
        width: input.width(),
    };
    let split = split(grid.tiles(), input.blocks(), output.blocks());
    if let Weights::Fresh(source) = weights
        && split.across
    {
        let packed = transform(isa, source, output.blocks().div_ceil(2), input.blocks());
        return run(isa, input, Weights::Packed(&packed), epilogue, output);
    }
    let (out_blocks, image_len) = (output.blocks(), output.image_len());
    let out = Shared::new(&mut output.data);
    let work = Work {
        isa,
        grid,
        input,
        weights,
        epilogue,
        out,
        out_blocks,
        image_len,
    };
    maybe_parallel(split.across, split.groups, |group| {
        let first = group * split.group;
        let count = split.group.min(grid.tiles() - first);
        work.group(Tiles { grid, first, count }, !split.across);
    });
}

struct Work<'a> {
    isa: Isa,
    grid: Grid,
    input: &'a Blocked,
    weights: Weights<'a>,
    epilogue: Epilogue<'a>,
    out: Shared,
    out_blocks: usize,
    image_len: usize,
}

impl Work<'_> {
    fn group(&self, tiles: Tiles, parallel: bool) {
        let in_blocks = self.input.blocks();
        let room = tiles.count;
        let mut points = Buffer::stale(POINTS * point_len(in_blocks * room));
        let to = Shared::new(&mut points);
        let threads = if parallel {
            rayon::current_num_threads()
        } else {
            1
        };
        let shares = (2 * threads).min(in_blocks);
        maybe_parallel(parallel, shares, |share| {
            let block = in_blocks * share / shares;
            let blocks = in_blocks * (share + 1) / shares - block;
            // These blocks of the transformed inputs are this task's own.
            unsafe {
                let input = self.input.data.as_ptr();
                let job = InputJob {
                    input,
                    in_blocks,
                    tiles,
                    block,
                    blocks,
                    points: to.at(0),
                    room,
                };
                transform_inputs(self.isa, &job);
            }
        });
        let panels = self.out_blocks.div_ceil(2);
        maybe_parallel(parallel, panels, |panel| self.panel(tiles, &points, panel));
    }

    fn panel(&self, tiles: Tiles, points: &[f32], panel: usize) {
        let (in_blocks, room) = (self.input.blocks(), tiles.count);
        let mut products = Buffer::stale(POINTS * point_len(2 * room));
        let vecs = (self.out_blocks - 2 * panel).min(2);
        match self.weights {
            Weights::Packed(packed) => {
                let weights = &packed[panel * POINTS * point_len(2 * in_blocks * LANES)..];
                self.multiply(points, weights, 0..in_blocks, room, vecs, &mut products);
            }
            Weights::Fresh(source) => {
                let mut scratch =
                    Buffer::stale(POINTS * point_len(2 * FRESH_BLOCKS.min(in_blocks) * LANES));
                for block in (0..in_blocks).step_by(FRESH_BLOCKS) {
                    let blocks = block..(block + FRESH_BLOCKS).min(in_blocks);
                    let channels = blocks.len() * LANES;
                    // `scratch` is local and holds these channels.
                    unsafe {
                        let job = WeightJob {
                            isa: self.isa,
                            source,
                            panel,
                            first: block * LANES,
                            count: channels,
                            points: scratch.as_mut_ptr(),
                            channels,
                        };
                        transform_weights(self.isa, &job);
                    }
                    self.multiply(points, &scratch, blocks, room, vecs, &mut products);
                }
            }
        }
        let offset = 2 * panel * self.grid.height * self.grid.width * LANES;
        // The outputs of these tiles in this panel are this task's own.
        unsafe {
            let job = OutputJob {
                products: products.as_ptr(),
                room,
                tiles,
                output: self.out.at(offset),
                image_len: self.image_len,
                vecs,
                finish: self.epilogue.finish(panel, offset),
            };
            transform_outputs(self.isa, &job);
        }
    }

    /// Products of all points from `weights` `[point][channel of blocks][32]`, added to those of earlier blocks.
    fn multiply(
        &self,
        points: &[f32],
        weights: &[f32],
        blocks: Range<usize>,
        room: usize,
        vecs: usize,
        products: &mut [f32],
    ) {
        let in_blocks = self.input.blocks();
        let tap = |i: usize| Tap {
            a: ((blocks.start + i) * room * LANES) as isize,
            panel: i * LANES * PANEL,
        };
        let taps: Vec<Tap> = (0..blocks.len()).map(tap).collect();
        for point in 0..POINTS {
            // `products` is the caller's own; the other pointers stay within their buffers.
            unsafe {
                let tile = Tile {
                    a: points.as_ptr().add(point * point_len(in_blocks * room)),
                    a_row: LANES,
                    taps: &taps,
                    tap_len: LANES,
                    panel: weights
                        .as_ptr()
                        .add(point * point_len(2 * blocks.len() * LANES)),
                    out: products.as_mut_ptr().add(point * point_len(2 * room)),
                    out_row: LANES,
                    out_vec: room * LANES,
                    rows: room,
                    vecs,
                    accumulate: blocks.start > 0,
                    finish: Finish::NONE,
                };
                run_tile(self.isa, &tile);
            }
        }
    }
}
