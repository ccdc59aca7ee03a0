//! Convolution of images of few channels: a kernel row is one run of interleaved pixels.
// unsafe: tasks hand the multiplying kernel pointers into disjoint parts of the output.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::epilogue::Epilogue;
use crate::isa::{Isa, LANES, Multiplier};
use crate::pairs;
use crate::parallel::{Shared, for_each};
use crate::tile::{PANEL, Tap, Tile, run_tile};

/// Output rows that a task computes from one band of interleaved input rows.
const BAND: usize = 8;

/// What multiplies: pairs only where every output's run begins with one. Tiles would want rows of words.
pub(crate) fn multiplier(conv: &Conv2d) -> Multiplier {
    let even = (conv.stride * conv.c_in).is_multiple_of(2);
    if conv.bf16 && even && conv.isa >= Isa::Avx512Bf16 {
        Multiplier::Pairs
    } else {
        Multiplier::Floats(conv.isa)
    }
}

/// Convolves a contiguous `[batch, c_in, height, width]` with weights from `pack_interleaved`.
pub(crate) fn run(
    conv: &Conv2d,
    input: &[f32],
    [batch, height, width]: [usize; 3],
    panels: &[f32],
    epilogue: Epilogue<'_>,
    output: &mut Blocked,
) {
    let (out_h, out_w) = (conv.output(height), conv.output(width));
    let (out_blocks, out_len) = (output.blocks(), output.image_len());
    let out_plane = out_h * out_w * LANES;
    let multiplier = multiplier(conv);
    let per_word = 1 + usize::from(multiplier.is_paired());
    // Words of a kernel row, and of a row of pixels with a run's odd end.
    let run = (conv.kernel * conv.c_in).div_ceil(per_word);
    let row_len = ((width + 2 * conv.padding) * conv.c_in).div_ceil(per_word) + per_word - 1;
    let taps: Vec<Tap> = (0..conv.kernel)
        .map(|row| Tap {
            a: (row * row_len) as isize,
            panel: row * run * PANEL,
        })
        .collect();
    let bands = out_h.div_ceil(BAND);
    let out = Shared::new(&mut output.data);
    for_each(0..batch * bands, |task| {
        let (n, band) = (task / bands, task % bands);
        let first = band * BAND;
        let rows = BAND.min(out_h - first);
        let image = &input[n * conv.c_in * height * width..][..conv.c_in * height * width];
        let in_rows = (rows - 1) * conv.stride + conv.kernel;
        let mut pixels = Buffer::stale(in_rows * row_len);
        for (i, row) in pixels.chunks_exact_mut(row_len).enumerate() {
            let y = (first * conv.stride + i) as isize - conv.padding as isize;
            let size = [conv.c_in, height, width];
            if multiplier.is_paired() {
                let mut floats = Buffer::stale(2 * row_len);
                interleave(image, size, y, conv.padding, &mut floats);
                pairs::pair_neighbours(&floats, row);
            } else {
                interleave(image, size, y, conv.padding, row);
                if conv.bf16 {
                    pairs::round(conv.isa, row);
                }
            }
        }
        for panel in 0..out_blocks.div_ceil(2) {
            let offset = n * out_len + 2 * panel * out_plane;
            let finish = epilogue.finish(panel, offset);
            for y in 0..rows {
                let at = (first + y) * out_w * LANES;
                let tile = Tile {
                    a: pixels[y * conv.stride * row_len..].as_ptr(),
                    a_row: conv.stride * conv.c_in / per_word,
                    taps: &taps,
                    tap_len: run,
                    panel: panels[panel * conv.kernel * run * PANEL..].as_ptr(),
                    out: out.at(offset + at),
                    out_row: LANES,
                    out_vec: out_plane,
                    rows: out_w,
                    lines: 1,
                    a_line: 0,
                    out_line: 0,
                    vecs: (out_blocks - 2 * panel).min(2),
                    accumulate: false,
                    finish: finish.shifted(at),
                };
                // SAFETY: `pixels` holds the padded rows that the kernel reads for this row, which this task alone writes.
                unsafe { run_tile(multiplier, &tile) };
            }
        }
    });
}

/// Row `y` of an image with its channels interleaved and zeros around.
fn interleave(
    image: &[f32],
    [channels, height, width]: [usize; 3],
    y: isize,
    padding: usize,
    row: &mut [f32],
) {
    row.fill(0.0);
    if y < 0 || y >= height as isize {
        return;
    }
    let inner = &mut row[padding * channels..][..width * channels];
    for c in 0..channels {
        let from = &image[(c * height + y as usize) * width..][..width];
        for (pixel, value) in inner.chunks_exact_mut(channels).zip(from) {
            pixel[c] = *value;
        }
    }
}
