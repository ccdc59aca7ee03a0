//! The transforms of Winograd's F(4x4, 3x3): six-by-six tiles of inputs give four-by-four outputs with 36 products
//! instead of 144 (Lavin and Gray, 2016).
//!
//! Interpolation points 0, ±1/√2, ±√2 and infinity: their rounding error is half that of 0, ±1, ±2, about 1e-6
//! relative to the result.
// unsafe: raw pointers into tile buffers; each job states what they must cover.
#![allow(unsafe_code)]

use crate::isa::{Isa, LANES, Simd, simd_entry};
use crate::tile::{Finish, PANEL};
use crate::weights::WeightView;

/// Outputs of a tile along one axis.
pub(crate) const OUT: usize = 4;
/// Inputs of a tile along one axis.
pub(crate) const IN: usize = 6;
/// Products of a tile.
pub(crate) const POINTS: usize = IN * IN;

const A: f32 = std::f32::consts::FRAC_1_SQRT_2;
const B: f32 = std::f32::consts::SQRT_2;

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

/// `a * x + b * y`
#[inline(always)]
unsafe fn mix<S: Simd>(a: f32, x: S::V, b: f32, y: S::V) -> S::V {
    unsafe { S::fma(S::splat(b), y, S::mul(S::splat(a), x)) }
}

/// `B^T d`
#[inline(always)]
unsafe fn input_axis<S: Simd>(d: [S::V; IN]) -> [S::V; IN] {
    unsafe {
        let (a, b) = (S::splat(A), S::splat(B));
        let (two, half, sum) = (S::splat(2.0), S::splat(0.5), S::splat(2.5));
        let even_a = S::fnma(two, d[2], d[4]);
        let odd_a = S::fnma(two, d[1], d[3]);
        let even_b = S::fnma(half, d[2], d[4]);
        let odd_b = S::fnma(half, d[1], d[3]);
        [
            S::fnma(sum, d[2], S::add(d[0], d[4])),
            S::fma(a, odd_a, even_a),
            S::fnma(a, odd_a, even_a),
            S::fma(b, odd_b, even_b),
            S::fnma(b, odd_b, even_b),
            S::fnma(sum, d[3], S::add(d[1], d[5])),
        ]
    }
}

/// `A^T m`
#[inline(always)]
unsafe fn output_axis<S: Simd>(m: [S::V; IN]) -> [S::V; OUT] {
    unsafe {
        let (sum_a, sum_b) = (S::add(m[1], m[2]), S::add(m[3], m[4]));
        let (dif_a, dif_b) = (S::sub(m[1], m[2]), S::sub(m[3], m[4]));
        [
            S::add(m[0], S::add(sum_a, sum_b)),
            mix::<S>(A, dif_a, B, dif_b),
            mix::<S>(0.5, sum_a, 2.0, sum_b),
            S::add(mix::<S>(0.5 * A, dif_a, 2.0 * B, dif_b), m[5]),
        ]
    }
}

/// `A y`: the gradient of [`output_axis`].
#[inline(always)]
unsafe fn gradient_axis<S: Simd>(y: [S::V; OUT]) -> [S::V; IN] {
    unsafe {
        let (a, b) = (S::splat(A), S::splat(B));
        let (two, half) = (S::splat(2.0), S::splat(0.5));
        let even_a = S::fma(half, y[2], y[0]);
        let odd_a = S::fma(half, y[3], y[1]);
        let even_b = S::fma(two, y[2], y[0]);
        let odd_b = S::fma(two, y[3], y[1]);
        [
            y[0],
            S::fma(a, odd_a, even_a),
            S::fnma(a, odd_a, even_a),
            S::fma(b, odd_b, even_b),
            S::fnma(b, odd_b, even_b),
            y[3],
        ]
    }
}

/// `G g`
#[inline(always)]
unsafe fn weight_axis<S: Simd>(g: [S::V; 3]) -> [S::V; IN] {
    unsafe {
        let even_a = mix::<S>(1.0 / -1.5, g[0], 0.5 / -1.5, g[2]);
        let even_b = mix::<S>(1.0 / 6.0, g[0], 2.0 / 6.0, g[2]);
        let (odd_a, odd_b) = (S::splat(A / -1.5), S::splat(B / 6.0));
        [
            g[0],
            S::fma(odd_a, g[1], even_a),
            S::fnma(odd_a, g[1], even_a),
            S::fma(odd_b, g[1], even_b),
            S::fnma(odd_b, g[1], even_b),
            g[2],
        ]
    }
}

/// `G^T u`: the gradient of [`weight_axis`].
#[inline(always)]
unsafe fn weight_gradient_axis<S: Simd>(u: [S::V; IN]) -> [S::V; 3] {
    unsafe {
        let (sum_a, sum_b) = (S::add(u[1], u[2]), S::add(u[3], u[4]));
        let (dif_a, dif_b) = (S::sub(u[1], u[2]), S::sub(u[3], u[4]));
        [
            S::add(u[0], mix::<S>(1.0 / -1.5, sum_a, 1.0 / 6.0, sum_b)),
            mix::<S>(A / -1.5, dif_a, B / 6.0, dif_b),
            S::add(u[5], mix::<S>(0.5 / -1.5, sum_a, 2.0 / 6.0, sum_b)),
        ]
    }
}

/// Loads pixel (y, x), or zero outside the map.
#[inline(always)]
unsafe fn pixel<S: Simd>(plane: *const f32, grid: Grid, y: isize, x: isize) -> S::V {
    if y >= 0 && x >= 0 && y < grid.height as isize && x < grid.width as isize {
        unsafe { S::load(plane.offset((y * grid.width as isize + x) * LANES as isize)) }
    } else {
        unsafe { S::splat(0.0) }
    }
}

/// Inputs of tiles, channel blocks `block..block + blocks`, to `points[point][block][tile][16]`.
pub(crate) struct InputJob {
    /// `[image][in_blocks][height][width][16]`
    pub(crate) input: *const f32,
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
    transform_inputs = inputs(job: &InputJob)
);

#[inline(always)]
unsafe fn inputs<S: Simd>(job: &InputJob) {
    unsafe {
        let grid = job.tiles.grid;
        let plane_len = grid.height * grid.width * LANES;
        let point_len = point_len(job.in_blocks * job.room);
        for block in job.block..job.block + job.blocks {
            for t in 0..job.tiles.count {
                let (n, y, x) = grid.place(job.tiles.first + t);
                let plane = job.input.add((n * job.in_blocks + block) * plane_len);
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
unsafe fn gradients<S: Simd>(job: &InputJob) {
    unsafe {
        let grid = job.tiles.grid;
        let plane_len = grid.height * grid.width * LANES;
        let point_len = point_len(job.in_blocks * job.room);
        for block in job.block..job.block + job.blocks {
            for t in 0..job.tiles.count {
                let (n, y, x) = grid.place(job.tiles.first + t);
                let plane = job.input.add((n * job.in_blocks + block) * plane_len);
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
    transform_gradients = gradients(job: &InputJob)
);

/// Products of tiles, `products[point][vec][tile][16]`, to outputs.
pub(crate) struct OutputJob {
    pub(crate) products: *const f32,
    /// Tiles that `products` has room for.
    pub(crate) room: usize,
    pub(crate) tiles: Tiles,
    /// The first channel block of image 0; blocks and images follow at these distances.
    pub(crate) output: *mut f32,
    pub(crate) image_len: usize,
    pub(crate) vecs: usize,
    /// Its residual is addressed like `output`.
    pub(crate) finish: Finish,
}

simd_entry!(
    /// Transforms products and finishes the outputs.
    ///
    /// # Safety
    /// The job's pointers cover what it addresses; the outputs of its tiles are written by this call alone.
    transform_outputs = outputs(job: &OutputJob)
);

#[inline(always)]
unsafe fn outputs<S: Simd>(job: &OutputJob) {
    unsafe {
        let grid = job.tiles.grid;
        let plane_len = grid.height * grid.width * LANES;
        let (finish, point_len) = (job.finish, point_len(2 * job.room));
        for vec in 0..job.vecs {
            let bias =
                if finish.bias.is_null() { S::splat(0.0) } else { S::load(finish.bias.add(vec * LANES)) };
            for t in 0..job.tiles.count {
                let (n, y, x) = grid.place(job.tiles.first + t);
                let from = job.products.add((vec * job.room + t) * LANES);
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
                        if !finish.residual.is_null() {
                            value = S::add(value, S::load(finish.residual.add(to)));
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

/// Untransformed weights.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A convolution's own; `mirror` takes the taps in reverse order, as the gradient with respect to the input does.
    View { view: WeightView<'a>, mirror: bool },
    /// `[panel][channel][tap][32]` with this many channels.
    Taps(&'a [f32], usize),
}

/// Weights of one panel and the input channels `first..first + count`, to `points[point][channel - first][32]`.
pub(crate) struct WeightJob<'a> {
    pub(crate) isa: Isa,
    pub(crate) source: Source<'a>,
    pub(crate) panel: usize,
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) points: *mut f32,
    /// Rows of 32 between points.
    pub(crate) channels: usize,
}

simd_entry!(
    /// Transforms weights; channels beyond the view's become zero.
    ///
    /// # Safety
    /// `points` covers the panel; these channels of it are written by this call alone.
    transform_weights = weights(job: &WeightJob<'_>)
);

#[inline(always)]
unsafe fn weights<S: Simd>(job: &WeightJob<'_>) {
    unsafe {
        let point_len = point_len(2 * job.channels);
        for channel in job.first..job.first + job.count {
            let mut gathered = [0.0f32; 9 * PANEL];
            let (taps, mirror) = match job.source {
                Source::View { view, mirror } => {
                    view.gather(job.isa, job.panel, channel, &mut gathered, PANEL);
                    (&gathered[..], mirror)
                }
                Source::Taps(taps, channels) => {
                    (&taps[(job.panel * channels + channel) * 9 * PANEL..][..9 * PANEL], false)
                }
            };
            for vec in 0..2 {
                let mut half = [[S::splat(0.0); 3]; IN];
                for j in 0..3 {
                    let mut g = [S::splat(0.0); 3];
                    for i in 0..3 {
                        let tap = 3 * i + j;
                        let tap = if mirror { 8 - tap } else { tap };
                        g[i] = S::load(taps.as_ptr().add(tap * PANEL + vec * LANES));
                    }
                    let r = weight_axis::<S>(g);
                    for i in 0..IN {
                        half[i][j] = r[i];
                    }
                }
                for i in 0..IN {
                    let r = weight_axis::<S>(half[i]);
                    for j in 0..IN {
                        let at = (i * IN + j) * point_len + (channel - job.first) * PANEL + vec * LANES;
                        S::store(job.points.add(at), r[j]);
                    }
                }
            }
        }
    }
}

/// Weight gradients `points[point][c_in lanes][32]` of `rows` input channels, to `taps[row][tap][32]`.
pub(crate) struct WeightGradJob {
    pub(crate) points: *const f32,
    /// Floats between points.
    pub(crate) point_len: usize,
    pub(crate) rows: usize,
    pub(crate) taps: *mut f32,
}

simd_entry!(
    /// Transforms weight gradients back to taps.
    ///
    /// # Safety
    /// The job's pointers cover what it addresses, and `taps` is written by this call alone.
    transform_weight_grads = weight_grads(job: &WeightGradJob)
);

#[inline(always)]
unsafe fn weight_grads<S: Simd>(job: &WeightGradJob) {
    unsafe {
        for row in 0..job.rows {
            for vec in 0..2 {
                let at = row * PANEL + vec * LANES;
                let mut half = [[S::splat(0.0); IN]; 3];
                for j in 0..IN {
                    let mut u = [S::splat(0.0); IN];
                    for i in 0..IN {
                        u[i] = S::load(job.points.add((i * IN + j) * job.point_len + at));
                    }
                    let r = weight_gradient_axis::<S>(u);
                    for i in 0..3 {
                        half[i][j] = r[i];
                    }
                }
                for i in 0..3 {
                    let r = weight_gradient_axis::<S>(half[i]);
                    for j in 0..3 {
                        S::store(job.taps.add((row * 9 + i * 3 + j) * PANEL + vec * LANES), r[j]);
                    }
                }
            }
        }
    }
}
