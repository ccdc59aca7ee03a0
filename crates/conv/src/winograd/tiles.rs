//! Tiles of inputs, output gradients and outputs, to and from their 36 points.
// unsafe: raw pointers into maps and tile buffers; each job states what they must cover.
// Loop indices count registers and strides at once.
#![allow(unsafe_code, clippy::needless_range_loop)]

use super::axis::{Axis, IN, OUT, Square, gradient_axis, input_axis, output_axis};
use crate::blocked::Blocked;
use crate::isa::LANES;
use crate::simd::{Rounding, Simd, rounding_entry};
use crate::tile::Finish;

/// Floats from point to point of `lines` lines of 16 floats. The odd line keeps the points of a tile, which are touched
/// together, out of one cache set.
pub(crate) fn point_len(lines: usize) -> usize {
    (lines + 1) * LANES
}

/// Tiles that cover the maps of a batch, counted through images, rows and columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Grid {
    pub(crate) fn of(map: &Blocked) -> Self {
        Self {
            batch: map.batch(),
            height: map.height(),
            width: map.width(),
        }
    }

    pub(crate) fn per_image(&self) -> usize {
        self.height.div_ceil(OUT) * self.width.div_ceil(OUT)
    }

    pub(crate) fn tiles(&self) -> usize {
        self.batch * self.per_image()
    }

    /// Image, row and column of a tile's first output.
    #[inline(always)]
    fn place(&self, tile: usize) -> (usize, usize, usize) {
        let (per_image, cols) = (self.per_image(), self.width.div_ceil(OUT));
        let (n, rest) = (tile / per_image, tile % per_image);
        (n, rest / cols * OUT, rest % cols * OUT)
    }
}

/// Tiles `first..first + count` of a map.
#[derive(Clone, Copy)]
pub(crate) struct Tiles {
    pub(crate) grid: Grid,
    pub(crate) first: usize,
    pub(crate) count: usize,
}

/// What a map's pixels are: a tile is made of 6 x 6 inputs, or of the gradients of its 4 x 4 outputs.
#[derive(Clone, Copy)]
pub(crate) enum Pixels {
    Inputs,
    Gradients,
}

/// Pixels of tiles, channel blocks `block..block + blocks`, to `points[point][block][tile][16]`.
pub(crate) struct PixelJob<'a> {
    pub(crate) pixels: Pixels,
    /// Round them to bf16 first.
    pub(crate) round: bool,
    /// `[image][in_blocks][height][width][16]`
    pub(crate) map: &'a [f32],
    pub(crate) in_blocks: usize,
    pub(crate) tiles: Tiles,
    pub(crate) block: usize,
    pub(crate) blocks: usize,
    pub(crate) points: *mut f32,
    /// Tiles that `points` has room for.
    pub(crate) room: usize,
}

rounding_entry!(
    /// Transforms what the pixels are.
    ///
    /// # Safety
    /// `points` has room for the blocks, which this call alone writes.
    pub(super) transform_pixels = other_pixels | pixels(job: &PixelJob<'_>)
);

#[inline(always)]
unsafe fn pixels<S: Simd>(job: &PixelJob<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match (job.pixels, job.round) {
            (Pixels::Inputs, false) => to_points::<S, IN>(job, input_axis::<S>),
            (Pixels::Inputs, true) => to_points::<Rounding<S>, IN>(job, input_axis::<S>),
            (Pixels::Gradients, false) => to_points::<S, OUT>(job, gradient_axis::<S>),
            (Pixels::Gradients, true) => to_points::<Rounding<S>, OUT>(job, gradient_axis::<S>),
        }
    }
}

/// Transforms the `SIDE` x `SIDE` pixels about every tile.
#[inline(always)]
unsafe fn to_points<S: Simd, const SIDE: usize>(job: &PixelJob<'_>, axis: Axis<S::V, SIDE, IN>) {
    let Grid { height, width, .. } = job.tiles.grid;
    let around = (SIDE - OUT) / 2;
    let plane_len = height * width * LANES;
    let point_len = point_len(job.in_blocks * job.room);
    for block in job.block..job.block + job.blocks {
        for t in 0..job.tiles.count {
            let (n, y, x) = job.tiles.grid.place(job.tiles.first + t);
            let plane = &job.map[(n * job.in_blocks + block) * plane_len..][..plane_len];
            let first = plane[(y * width + x) * LANES..].as_ptr();
            let corner = first.wrapping_sub(around * (width + 1) * LANES);
            let square = Square::new(corner, (width * LANES) as isize, LANES as isize);
            let rows = around.saturating_sub(y)..SIDE.min(height + around - y);
            let cols = around.saturating_sub(x)..SIDE.min(width + around - x);
            let to = job.points.wrapping_add((block * job.room + t) * LANES);
            let to = Square::points(to, point_len);
            // SAFETY: pixels inside these rows and columns are on the map; the points are the caller's promise.
            unsafe {
                if rows.len() == SIDE && cols.len() == SIDE {
                    square.transform::<S, SIDE, IN>(axis, to);
                } else {
                    let edge = square.inside(rows, cols);
                    edge.transform::<S, SIDE, IN>(axis, to);
                }
            }
        }
    }
}

/// Products of tiles, `products[point][vec][tile][16]`, to outputs.
pub(crate) struct OutputJob<'a> {
    pub(crate) products: &'a [f32],
    /// Tiles that `products` has room for.
    pub(crate) room: usize,
    pub(crate) tiles: Tiles,
    /// The first channel block of image 0; blocks and images follow at these distances.
    pub(crate) output: *mut f32,
    pub(crate) image_len: usize,
    pub(crate) vecs: usize,
    /// Its residual is addressed like `output`.
    pub(crate) finish: Finish<'a>,
}

rounding_entry!(
    /// Transforms products and finishes the outputs.
    ///
    /// # Safety
    /// The job's pointers cover what it addresses; the outputs of its tiles are written by this call alone.
    pub(super) transform_outputs = other_outputs | outputs(job: &OutputJob<'_>)
);

#[inline(always)]
unsafe fn outputs<S: Simd>(job: &OutputJob<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        let grid = job.tiles.grid;
        let plane_len = grid.height * grid.width * LANES;
        let (finish, point_len) = (job.finish, point_len(2 * job.room));
        for vec in 0..job.vecs {
            let bias = match finish.bias {
                Some(bias) => S::load(bias.as_ptr().add(vec * LANES)),
                None => S::splat(0.0),
            };
            for t in 0..job.tiles.count {
                let (n, y, x) = grid.place(job.tiles.first + t);
                let from = job.products[(vec * job.room + t) * LANES..].as_ptr();
                let from = Square::points(from, point_len);
                let half = from.columns::<S, IN, OUT>(output_axis::<S>);
                let (rows, cols) = (OUT.min(grid.height - y), OUT.min(grid.width - x));
                let at = n * job.image_len + vec * plane_len + (y * grid.width + x) * LANES;
                for i in 0..rows {
                    let row = output_axis::<S>(half[i]);
                    for j in 0..OUT {
                        if j >= cols {
                            break;
                        }
                        let to = at + (i * grid.width + j) * LANES;
                        let sum = if finish.round {
                            S::round(row[j])
                        } else {
                            row[j]
                        };
                        let mut value = S::add(sum, bias);
                        if let Some(residual) = finish.residual {
                            value = S::add(value, S::load(residual.as_ptr().add(to)));
                        }
                        if finish.relu {
                            value = S::max(S::splat(0.0), value);
                        }
                        S::store(job.output.add(to), value);
                    }
                }
            }
        }
    }
}
