//! Direct convolution on the blocked layout, any kernel, stride and padding.
// unsafe: tasks hand the multiplying kernel pointers into disjoint parts of the output.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::epilogue::Epilogue;
use crate::isa::{LANES, Multiplier};
use crate::pairs::{pair_blocks, pair_channels};
use crate::parallel::{Shared, for_each, threads};
use crate::tile::{Finish, PANEL, Tap, Tile, run_tile};

/// Weights of the taps of one pass over the pixels, in words: 32 KiB, which stay in the first-level cache.
const PASS: usize = 1 << 13;

/// Output pixels whose taps all lie inside the image, and those taps.
pub(crate) struct Region {
    rows: Range<usize>,
    cols: Range<usize>,
    taps: Vec<Tap>,
}

/// How output pixels of one pass map to inputs, outputs and taps.
pub(crate) struct Plan {
    pub(crate) in_blocks: usize,
    /// Input rows and columns.
    pub(crate) input: [usize; 2],
    /// Output pixels of this plan, in rows and columns.
    pub(crate) steps: [usize; 2],
    /// Input pixels per step.
    pub(crate) stride: usize,
    /// Input row and column that step 0 starts from, and those of its taps relative to it with their weights' row.
    pub(crate) taps: [Vec<(isize, usize)>; 2],
    /// Kernel positions in the packed weights per channel block, and their columns per row.
    pub(crate) kernel: [usize; 2],
    /// Rows and columns of the whole output, and where step 0 lands; `out_stride` output pixels per step.
    pub(crate) output: [usize; 2],
    pub(crate) out_start: [usize; 2],
    pub(crate) out_stride: usize,
}

/// Steps grouped by which taps are inside: (range of steps, valid taps).
fn spans(
    steps: usize,
    stride: usize,
    size: usize,
    taps: &[(isize, usize)],
) -> Vec<(Range<usize>, Vec<usize>)> {
    let valid = |step: usize| -> Vec<usize> {
        let inside = |t: &usize| {
            let at = (step * stride) as isize + taps[*t].0;
            at >= 0 && at < size as isize
        };
        (0..taps.len()).filter(inside).collect()
    };
    let mut spans: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
    for step in 0..steps {
        let now = valid(step);
        match spans.last_mut() {
            Some((range, set)) if *set == now => range.end = step + 1,
            _ => spans.push((step..step + 1, now)),
        }
    }
    spans
}

/// An input as it is multiplied.
pub(crate) struct Input<'a> {
    multiplier: Multiplier,
    map: &'a Blocked,
    /// Rounded, or in pairs, where products are of bf16.
    other: Option<Buffer>,
}

impl<'a> Input<'a> {
    /// Of pairs, only pixels `step` rows and columns from the last one.
    pub(crate) fn new(conv: &Conv2d, map: &'a Blocked, step: usize) -> Self {
        let multiplier = conv.multiplier();
        let other = match multiplier {
            Multiplier::Pairs => Some(pair_channels(map, step)),
            Multiplier::Tiles(_) => Some(pair_blocks(map, step)),
            Multiplier::Floats(isa) => conv.bf16.then(|| map.rounded(isa)),
        };
        Self {
            multiplier,
            map,
            other,
        }
    }

    fn words(&self) -> &[f32] {
        self.other.as_deref().unwrap_or(&self.map.data)
    }
}

impl Plan {
    fn regions(&self, words: usize) -> Vec<Region> {
        let rows = spans(self.steps[0], self.stride, self.input[0], &self.taps[0]);
        let cols = spans(self.steps[1], self.stride, self.input[1], &self.taps[1]);
        let mut regions = Vec::new();
        for (row_range, row_taps) in &rows {
            for (col_range, col_taps) in &cols {
                let mut taps = Vec::with_capacity(self.in_blocks * row_taps.len() * col_taps.len());
                for block in 0..self.in_blocks {
                    for &i in row_taps {
                        for &j in col_taps {
                            let ((dy, ky), (dx, kx)) = (self.taps[0][i], self.taps[1][j]);
                            let plane = (block * self.input[0] * self.input[1]) as isize;
                            let a = (plane + dy * self.input[1] as isize + dx) * words as isize;
                            let position =
                                block * self.kernel[0] * self.kernel[1] + ky * self.kernel[1] + kx;
                            taps.push(Tap {
                                a,
                                panel: position * words * PANEL,
                            });
                        }
                    }
                }
                regions.push(Region {
                    rows: row_range.clone(),
                    cols: col_range.clone(),
                    taps,
                });
            }
        }
        regions
    }

    /// Runs the plan for every image and output channel.
    ///
    /// `panels` are weights packed by `pack_blocked` for what multiplies the input.
    pub(crate) fn run(
        &self,
        input: &Input<'_>,
        panels: &[f32],
        epilogue: Epilogue<'_>,
        output: &mut Blocked,
    ) {
        let words = input.multiplier.block_words();
        let regions = self.regions(words);
        let out_blocks = output.blocks();
        let panel_count = out_blocks.div_ceil(2);
        let panel_len = self.in_blocks * self.kernel[0] * self.kernel[1] * words * PANEL;
        let images = output.batch();
        // Enough tasks to share evenly; bands of rows only where images and panels are few.
        let wanted = 4 * threads();
        let bands = wanted
            .div_ceil(images * panel_count)
            .min(self.steps[0].div_ceil(4))
            .max(1);
        let in_len = self.in_blocks * self.input[0] * self.input[1] * words;
        let out_len = output.image_len();
        let pass_len = PASS / (words * PANEL);
        let out_plane = self.output[0] * self.output[1] * LANES;
        let data = input.words();
        assert_eq!(
            data.len(),
            images * in_len,
            "an input of another shape than the plan's"
        );
        let out = Shared::new(&mut output.data);
        for_each(0..images * panel_count * bands, |task| {
            let (n, rest) = (task / (panel_count * bands), task % (panel_count * bands));
            let (panel, band) = (rest / bands, rest % bands);
            let first = self.steps[0] * band / bands..self.steps[0] * (band + 1) / bands;
            let offset = n * out_len + panel * 2 * out_plane;
            let finish = epilogue.finish(panel, offset);
            let vecs = (out_blocks - 2 * panel).min(2);
            for region in &regions {
                let rows = region.rows.start.max(first.start)..region.rows.end.min(first.end);
                if rows.is_empty() || region.cols.is_empty() {
                    continue;
                }
                let (y, x) = (rows.start, region.cols.start);
                let (height, width) = (rows.len(), region.cols.len());
                let a_steps = [self.input[1], 1].map(|step| step * self.stride * words);
                let out_steps = [self.output[1], 1].map(|step| step * self.out_stride * LANES);
                // Rows of a tile go along the longer side, so that few are short.
                let by_row = width >= height || width >= 8;
                let (along, across) = if by_row { (1, 0) } else { (0, 1) };
                let first_input = (y * self.input[1] + x) * self.stride * words;
                let at = ((self.out_start[0] + y * self.out_stride) * self.output[1]
                    + self.out_start[1]
                    + x * self.out_stride)
                    * LANES;
                let passes = region.taps.len().div_ceil(pass_len).max(1);
                for pass in 0..passes {
                    let taps = &region.taps[(pass * pass_len).min(region.taps.len())
                        ..((pass + 1) * pass_len).min(region.taps.len())];
                    let last = pass + 1 == passes;
                    let tile = Tile {
                        a: data.as_ptr().wrapping_add(n * in_len + first_input),
                        a_row: a_steps[along],
                        taps,
                        tap_len: words,
                        panel: panels[panel * panel_len..][..panel_len].as_ptr(),
                        out: out.at(offset + at),
                        out_row: out_steps[along],
                        out_vec: out_plane,
                        rows: [height, width][along],
                        lines: [height, width][across],
                        a_line: a_steps[across],
                        out_line: out_steps[across],
                        vecs,
                        accumulate: pass > 0,
                        finish: if last {
                            finish.shifted(at)
                        } else {
                            Finish::default()
                        },
                    };
                    // SAFETY: the taps of a region lead to pixels inside the image, and the pixels of this image, panel and
                    // band are written by this task alone.
                    unsafe { run_tile(input.multiplier, &tile) };
                }
            }
        });
    }
}
