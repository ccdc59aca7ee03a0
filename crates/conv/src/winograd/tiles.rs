//! Tiles of inputs, output gradients and outputs, to and from their 36 points.
// unsafe: raw pointers into tile buffers; each job states what they must cover.
// Loop indices count registers and strides at once.
#![allow(unsafe_code, clippy::needless_range_loop)]

use super::axis::{IN, OUT, gradient_axis, input_axis, output_axis};
use crate::isa::LANES;
use crate::simd::{Simd, simd_entry};
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

/// Loads pixel (y, x), or zero outside the map.
#[inline(always)]
unsafe fn pixel<S: Simd>(plane: *const f32, grid: Grid, y: isize, x: isize) -> S::V {
    let inside = y >= 0 && x >= 0 && y < grid.height as isize && x < grid.width as isize;
    // SAFETY: the caller's promise that `plane` is a map of this grid.
    unsafe {
        if inside {
            S::load(plane.offset((y * grid.width as isize + x) * LANES as isize))
        } else {
            S::splat(0.0)
        }
    }
}

/// Inputs of tiles, channel blocks `block..block + blocks`, to `points[point][block][tile][16]`.
pub(crate) struct InputJob<'a> {
    /// `[image][in_blocks][height][width][16]`
    pub(crate) input: &'a [f32],
    pub(crate) in_blocks: usize,
    pub(crate) tiles: Tiles,
    pub(crate) block: usize,
    pub(crate) blocks: usize,
    pub(crate) points: *mut f32,
    /// Tiles that `points` has room for.
    pub(crate) room: usize,
}

simd_entry!(
    /// Transforms inputs.
    ///
    /// # Safety
    /// The job's pointers cover what it addresses; its part of `points` is written by this call alone.
    pub(super) transform_inputs = inputs(job: &InputJob<'_>)
);

#[inline(always)]
unsafe fn inputs<S: Simd>(job: &InputJob<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        let grid = job.tiles.grid;
        let plane_len = grid.height * grid.width * LANES;
        let point_len = point_len(job.in_blocks * job.room);
        for block in job.block..job.block + job.blocks {
            for t in 0..job.tiles.count {
                let (n, y, x) = grid.place(job.tiles.first + t);
                let plane = job
                    .input
                    .as_ptr()
                    .add((n * job.in_blocks + block) * plane_len);
                let (y, x) = (y as isize - 1, x as isize - 1);
                let mut half = [[S::splat(0.0); IN]; IN];
                let inner = y >= 0
                    && x >= 0
                    && y + IN as isize <= grid.height as isize
                    && x + IN as isize <= grid.width as isize;
                if inner {
                    let corner = plane.add((y as usize * grid.width + x as usize) * LANES);
                    for j in 0..IN {
                        let mut d = [S::splat(0.0); IN];
                        for i in 0..IN {
                            d[i] = S::load(corner.add((i * grid.width + j) * LANES));
                        }
                        let r = input_axis::<S>(d);
                        for i in 0..IN {
                            half[i][j] = r[i];
                        }
                    }
                } else {
                    for j in 0..IN {
                        let mut d = [S::splat(0.0); IN];
                        for i in 0..IN {
                            d[i] = pixel::<S>(plane, grid, y + i as isize, x + j as isize);
                        }
                        let r = input_axis::<S>(d);
                        for i in 0..IN {
                            half[i][j] = r[i];
                        }
                    }
                }
                let to = job.points.add((block * job.room + t) * LANES);
                for i in 0..IN {
                    let r = input_axis::<S>(half[i]);
                    for j in 0..IN {
                        S::store(to.add((i * IN + j) * point_len), r[j]);
                    }
                }
            }
        }
    }
}

/// Output gradients of tiles, to `points[point][block][tile][16]`; like [`InputJob`] with tiles of 4 x 4.
#[inline(always)]
unsafe fn gradients<S: Simd>(job: &InputJob<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        let grid = job.tiles.grid;
        let plane_len = grid.height * grid.width * LANES;
        let point_len = point_len(job.in_blocks * job.room);
        for block in job.block..job.block + job.blocks {
            for t in 0..job.tiles.count {
                let (n, y, x) = grid.place(job.tiles.first + t);
                let plane = job
                    .input
                    .as_ptr()
                    .add((n * job.in_blocks + block) * plane_len);
                let mut half = [[S::splat(0.0); OUT]; IN];
                for j in 0..OUT {
                    let mut d = [S::splat(0.0); OUT];
                    for i in 0..OUT {
                        d[i] = pixel::<S>(plane, grid, (y + i) as isize, (x + j) as isize);
                    }
                    let r = gradient_axis::<S>(d);
                    for i in 0..IN {
                        half[i][j] = r[i];
                    }
                }
                let to = job.points.add((block * job.room + t) * LANES);
                for i in 0..IN {
                    let r = gradient_axis::<S>(half[i]);
                    for j in 0..IN {
                        S::store(to.add((i * IN + j) * point_len), r[j]);
                    }
                }
            }
        }
    }
}

simd_entry!(
    /// Transforms output gradients.
    ///
    /// # Safety
    /// As for [`transform_inputs`].
    pub(super) transform_gradients = gradients(job: &InputJob<'_>)
);

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

simd_entry!(
    /// Transforms products and finishes the outputs.
    ///
    /// # Safety
    /// The job's pointers cover what it addresses; the outputs of its tiles are written by this call alone.
    pub(super) transform_outputs = outputs(job: &OutputJob<'_>)
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
                let from = job.products.as_ptr().add((vec * job.room + t) * LANES);
                let mut half = [[S::splat(0.0); IN]; OUT];
                for j in 0..IN {
                    let mut m = [S::splat(0.0); IN];
                    for i in 0..IN {
                        m[i] = S::load(from.add((i * IN + j) * point_len));
                    }
                    let r = output_axis::<S>(m);
                    for i in 0..OUT {
                        half[i][j] = r[i];
                    }
                }
                let (rows, cols) = (OUT.min(grid.height - y), OUT.min(grid.width - x));
                let at = n * job.image_len + vec * plane_len + (y * grid.width + x) * LANES;
                for i in 0..rows {
                    let r = output_axis::<S>(half[i]);
                    for j in 0..OUT {
                        if j >= cols {
                            break;
                        }
                        let to = at + (i * grid.width + j) * LANES;
                        let mut value = S::add(r[j], bias);
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
