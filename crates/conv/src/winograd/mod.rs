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
use tiles::{
    Grid, OutputJob, PixelJob, Pixels, Tiles, point_len, transform_outputs, transform_pixels,
};
pub(crate) use weights::{Prepared, Source, Weights, is_large};
use weights::{WeightJob, transform, transform_weights};

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::epilogue::Epilogue;
use crate::isa::{Isa, LANES, Multiplier};
use crate::parallel::{Shared, for_each, threads};
use crate::tile::{Finish, PANEL, Tap, Tile, run_tile};

/// Channel blocks of fresh weights transformed at once: half a MiB, which stays in the second-level cache.
const FRESH_BLOCKS: usize = 8;

/// How the work is cut.
struct Split {
    /// Tiles whose inputs are transformed together, and of which products are made at once.
    group: usize,
    groups: usize,
    order: Order,
}

enum Order {
    /// Tasks know nothing of each other: one for every group and every of these many shares of the panels. Shares of one
    /// group each transform its inputs.
    Apart { shares: usize },
    /// Groups in turn: all threads transform the inputs, wait, and share the panels.
    Together,
}

fn split(tiles: usize, in_blocks: usize, out_blocks: usize) -> Split {
    let threads = threads();
    // Transformed inputs of a group stay in the second-level cache (half a MiB of it) where channels are few; where they
    // are many the weights are what must be read seldom.
    let fit = (1 << 19) / (POINTS * in_blocks * LANES * 4);
    let groups = tiles.div_ceil(fit.clamp(28, 64));
    // With few channels even small groups of their own beat waiting for each other.
    let few = in_blocks * out_blocks <= 64 && tiles >= 16 * threads;
    let enough = threads == 1 || few || groups >= 2 * threads;
    let (groups, order) = if enough && !is_large(in_blocks, out_blocks) {
        let groups = groups.div_ceil(threads) * threads;
        (groups, Order::Apart { shares: 1 })
    } else if tiles * in_blocks <= 512 {
        let shares = threads.min(out_blocks.div_ceil(2));
        (1, Order::Apart { shares })
    } else {
        (tiles.div_ceil(64), Order::Together)
    };
    let group = tiles.div_ceil(groups);
    Split {
        group,
        groups: tiles.div_ceil(group),
        order,
    }
}

/// Convolves, padding 1; where the epilogue rounds sums, inputs are rounded, too.
pub(crate) fn run(
    isa: Isa,
    input: &Blocked,
    weights: Weights<'_>,
    epilogue: Epilogue<'_>,
    output: &mut Blocked,
) {
    let grid = Grid::of(input);
    let (in_blocks, out_blocks, image_len) = (input.blocks(), output.blocks(), output.image_len());
    let Split {
        group,
        groups,
        order,
    } = split(grid.tiles(), in_blocks, out_blocks);
    if let (Weights::Fresh(source), Order::Apart { .. }) = (weights, &order)
        && groups > 1
    {
        let packed = transform(isa, source, out_blocks.div_ceil(2), in_blocks);
        return run(isa, input, Weights::Packed(&packed), epilogue, output);
    }
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
    let tiles = |index: usize| {
        let first = index * group;
        Tiles {
            grid,
            first,
            count: group.min(grid.tiles() - first),
        }
    };
    match order {
        Order::Apart { shares } => for_each(0..groups * shares, |task| {
            // SAFETY: no two tasks have the same tiles and the same share of the panels.
            unsafe { work.apart(tiles(task / shares), task % shares, shares) };
        }),
        // SAFETY: one group after the other.
        Order::Together => (0..groups).for_each(|index| unsafe { work.together(tiles(index)) }),
    }
}

struct Work<'a> {
    isa: Isa,
    grid: Grid,
    input: &'a Blocked,
    weights: Weights<'a>,
    epilogue: Epilogue<'a>,
    out: Shared<'a>,
    out_blocks: usize,
    image_len: usize,
}

impl Work<'_> {
    /// One share of the panels for these tiles.
    ///
    /// # Safety
    /// No other task has this share of these tiles.
    unsafe fn apart(&self, tiles: Tiles, share: usize, shares: usize) {
        let (in_blocks, panels) = (self.input.blocks(), self.out_blocks.div_ceil(2));
        let mut points = Buffer::stale(POINTS * point_len(in_blocks * tiles.count));
        // SAFETY: `points` is local.
        unsafe { self.inputs(tiles, 0..in_blocks, Shared::new(&mut points)) };
        for panel in panels * share / shares..panels * (share + 1) / shares {
            // SAFETY: the caller's promise.
            unsafe { self.panel(tiles, &points, panel) };
        }
    }

    /// All panels for these tiles, on all threads.
    ///
    /// # Safety
    /// No other task has these tiles.
    unsafe fn together(&self, tiles: Tiles) {
        let in_blocks = self.input.blocks();
        let mut points = Buffer::stale(POINTS * point_len(in_blocks * tiles.count));
        let to = Shared::new(&mut points);
        let shares = (2 * threads()).min(in_blocks);
        for_each(0..shares, |share| {
            let blocks = in_blocks * share / shares..in_blocks * (share + 1) / shares;
            // SAFETY: shares have no block in common.
            unsafe { self.inputs(tiles, blocks, to) };
        });
        for_each(0..self.out_blocks.div_ceil(2), |panel| {
            // SAFETY: each panel is one task's; the tiles are the caller's promise.
            unsafe { self.panel(tiles, &points, panel) };
        });
    }

    /// Transforms the inputs of some channel blocks.
    ///
    /// # Safety
    /// No other task writes the points of these blocks meanwhile.
    unsafe fn inputs(&self, tiles: Tiles, blocks: Range<usize>, points: Shared<'_>) {
        let job = PixelJob {
            pixels: Pixels::Inputs,
            round: self.epilogue.round,
            map: &self.input.data,
            in_blocks: self.input.blocks(),
            tiles,
            block: blocks.start,
            blocks: blocks.len(),
            points: points.at(0),
            room: tiles.count,
        };
        // SAFETY: the tiles are the input's, `points` has room for them, and the rest is the caller's promise.
        unsafe { transform_pixels(self.isa, &job) };
    }

    /// The outputs of these tiles in one panel.
    ///
    /// # Safety
    /// No other task writes them meanwhile.
    unsafe fn panel(&self, tiles: Tiles, points: &[f32], panel: usize) {
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
                    let job = WeightJob {
                        isa: self.isa,
                        source,
                        panel,
                        first: block * LANES,
                        count: channels,
                        points: scratch.as_mut_ptr(),
                        channels,
                    };
                    // SAFETY: `scratch` is local and holds these channels.
                    unsafe { transform_weights(self.isa, &job) };
                    self.multiply(points, &scratch, blocks, room, vecs, &mut products);
                }
            }
        }
        let offset = 2 * panel * self.grid.height * self.grid.width * LANES;
        let job = OutputJob {
            products: &products,
            room,
            tiles,
            output: self.out.at(offset),
            image_len: self.image_len,
            vecs,
            finish: self.epilogue.finish(panel, offset),
        };
        // SAFETY: the tiles are the output's, `products` holds theirs, and the rest is the caller's promise.
        unsafe { transform_outputs(self.isa, &job) };
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
            let tile = Tile {
                a: points[point * point_len(in_blocks * room)..].as_ptr(),
                a_row: LANES,
                taps: &taps,
                tap_len: LANES,
                panel: weights[point * point_len(2 * blocks.len() * LANES)..].as_ptr(),
                out: products[point * point_len(2 * room)..].as_mut_ptr(),
                out_row: LANES,
                out_vec: room * LANES,
                rows: room,
                lines: 1,
                a_line: 0,
                out_line: 0,
                vecs,
                accumulate: blocks.start > 0,
                finish: Finish::default(),
            };
            // SAFETY: every point has `room` rows of inputs and of products, and the weights of these blocks.
            unsafe { run_tile(Multiplier::Floats(self.isa), &tile) };
        }
    }
}
