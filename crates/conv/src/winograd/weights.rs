//! Weights to their 36 points, and gradients back.
// unsafe: raw pointers into weight buffers; each job states what they must cover.
#![allow(unsafe_code)]

use super::axis::{POINTS, Square, TAPS, weight_axis, weight_gradient_axis};
use super::tiles::point_len;
use crate::buffer::Buffer;
use crate::isa::{Isa, LANES};
use crate::parallel::{Shared, for_each};
use crate::simd::{Rounding, Simd, simd_entry};
use crate::tile::PANEL;
use crate::weights::WeightView;

/// Where the weights come from.
#[derive(Clone, Copy)]
pub(crate) enum Weights<'a> {
    /// Transformed.
    Packed(&'a [f32]),
    /// Transformed on the way: weights used once, or so many that reading them transformed takes longer.
    Fresh(Source<'a>),
}

/// Weights of a frozen layer.
#[derive(Clone)]
pub(crate) enum Prepared {
    /// `[panel][point][channel][32]`, channels padded to blocks.
    Points(Buffer),
    /// `[panel][channel][tap][32]` with this many channels: four times fewer to read.
    Taps(Buffer, usize),
}

impl Prepared {
    /// Packs weights; `mirror` takes the taps in reverse order.
    pub(crate) fn new(isa: Isa, view: WeightView<'_>, mirror: bool) -> Self {
        let blocks = view.c_in.div_ceil(LANES);
        if is_large(blocks, view.c_out.div_ceil(LANES)) {
            Self::Taps(pack_taps(isa, view, mirror), blocks * LANES)
        } else {
            Self::Points(transform(
                isa,
                Source::View { view, mirror },
                view.panels(),
                blocks,
            ))
        }
    }

    pub(crate) fn weights(&self) -> Weights<'_> {
        match self {
            Self::Points(points) => Weights::Packed(points),
            Self::Taps(taps, channels) => Weights::Fresh(Source::Taps(taps, *channels)),
        }
    }
}

/// Whether transformed weights fill more than half of a third-level cache of 32 MiB.
pub(crate) fn is_large(in_blocks: usize, out_blocks: usize) -> bool {
    POINTS * in_blocks * out_blocks * LANES * LANES * 4 > 16 << 20
}

/// Transforms the weights of all panels: `[panel][point][channel][32]`, channels padded to blocks.
pub(super) fn transform(isa: Isa, source: Source<'_>, panels: usize, blocks: usize) -> Buffer {
    let channels = blocks * LANES;
    let panel_len = POINTS * point_len(2 * channels);
    let mut packed = Buffer::stale(panels * panel_len);
    let out = Shared::new(&mut packed);
    for_each(0..panels * blocks, |task| {
        let (panel, block) = (task / blocks, task % blocks);
        let job = WeightJob {
            isa,
            source,
            panel,
            first: block * LANES,
            count: LANES,
            points: out.at(panel * panel_len + block * LANES * PANEL),
            channels,
        };
        // SAFETY: this task alone writes these channels of the panel.
        unsafe { transform_weights(isa, &job) };
    });
    packed
}

/// Packs the weights of all panels for [`Source::Taps`].
fn pack_taps(isa: Isa, view: WeightView<'_>, mirror: bool) -> Buffer {
    let channels = view.c_in.div_ceil(LANES) * LANES;
    let mut packed = Buffer::stale(view.panels() * channels * 9 * PANEL);
    for (row, taps) in packed.chunks_exact_mut(9 * PANEL).enumerate() {
        view.gather(isa, row / channels, row % channels, taps, PANEL);
        if mirror {
            for tap in 0..4 {
                let (low, high) = taps.split_at_mut((8 - tap) * PANEL);
                low[tap * PANEL..][..PANEL].swap_with_slice(&mut high[..PANEL]);
            }
        }
    }
    packed
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
    pub(super) transform_weights = weights(job: &WeightJob<'_>)
);

#[inline(always)]
unsafe fn weights<S: Simd>(job: &WeightJob<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        match job.source {
            Source::View { view, mirror } if view.round => {
                let view = view.rounded(false);
                let source = Source::View { view, mirror };
                to_points::<Rounding<S>>(&WeightJob { source, ..*job });
            }
            _ => to_points::<S>(job),
        }
    }
}

#[inline(always)]
unsafe fn to_points<S: Simd>(job: &WeightJob<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        let point_len = point_len(2 * job.channels);
        for channel in job.first..job.first + job.count {
            let mut gathered = [0.0f32; 9 * PANEL];
            let (taps, mirror) = match job.source {
                Source::View { view, mirror } => {
                    view.gather(job.isa, job.panel, channel, &mut gathered, PANEL);
                    (&gathered[..], mirror)
                }
                Source::Taps(taps, channels) => (
                    &taps[(job.panel * channels + channel) * 9 * PANEL..][..9 * PANEL],
                    false,
                ),
            };
            // In reverse order the last tap comes first.
            let (first, step) = if mirror { (8, -1) } else { (0, 1) };
            let [row, col] = [TAPS * PANEL, PANEL].map(|stride| step * stride as isize);
            for vec in [0, LANES] {
                let from = Square::new(taps[first * PANEL + vec..].as_ptr(), row, col);
                let to = job.points.add((channel - job.first) * PANEL + vec);
                from.transform::<S, _, _>(weight_axis::<S>, Square::points(to, point_len));
            }
        }
    }
}

/// Weight gradients `points[point][c_in lanes][32]` of `rows` input channels, to `taps[row][tap][32]`.
pub(crate) struct WeightGradJob<'a> {
    pub(crate) points: &'a [f32],
    /// Floats between points.
    pub(crate) point_len: usize,
    pub(crate) rows: usize,
    pub(crate) taps: &'a mut [f32],
}

simd_entry!(
    /// Transforms weight gradients back to taps.
    ///
    /// # Safety
    /// The job's slices cover what it addresses.
    pub(super) transform_weight_grads = weight_grads(job: WeightGradJob<'_>)
);

#[inline(always)]
unsafe fn weight_grads<S: Simd>(job: WeightGradJob<'_>) {
    let row_len = (TAPS * PANEL) as isize;
    for row in 0..job.rows {
        for vec in [0, LANES] {
            let from = job.points[row * PANEL + vec..].as_ptr();
            let to = job.taps[row * TAPS * TAPS * PANEL + vec..].as_mut_ptr();
            let (from, to) = (
                Square::points(from, job.point_len),
                Square::new(to, row_len, PANEL as isize),
            );
            // SAFETY: the caller's promise.
            unsafe { from.transform::<S, _, _>(weight_gradient_axis::<S>, to) };
        }
    }
}
