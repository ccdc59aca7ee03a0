//! Chroma up-sampling as libjpeg's default: triangle filters ("fancy") for factors of two, repetition otherwise.

use super::frame::Component;
use crate::simd::{Kernel, best};

impl Component {
    /// Row `y` of the picture at full width, into `out` (at least the picture's width; what is beyond it is unspecified).
    pub(super) fn upsampled_row(&self, y: usize, h_max: usize, v_max: usize, out: &mut [u8]) {
        let (across, down) = (h_max / self.h, v_max / self.v);
        let exact = across * self.h == h_max && down * self.v == v_max;
        // libjpeg filters sideways only when there are more than two samples in a row.
        let wide = self.width > 2;
        match (across, down) {
            (1, 1) if exact => out[..self.width].copy_from_slice(&self.row(y)[..self.width]),
            (2, 1) if exact && wide => best(Across {
                row: &self.row(y)[..self.width],
                out,
            }),
            (1, 2) if exact => {
                // The half-way case is rounded down above and up below.
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                let (near, far) = self.two_rows(y);
                for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
                    *out = ((u16::from(near) * 3 + u16::from(far) + bias) >> 2) as u8;
                }
            }
            (2, 2) if exact && wide => {
                let (near, far) = self.two_rows(y);
                best(Both { near, far, out });
            }
            _ => {
                let row = self.row(y * self.v / v_max);
                for (x, out) in out.iter_mut().enumerate() {
                    *out = row[(x * self.h / h_max).min(self.width - 1)];
                }
            }
        }
    }

    /// The sample row that picture row `y` lies in, and its neighbour on the side of `y`; at the border the row itself.
    fn two_rows(&self, y: usize) -> (&[u8], &[u8]) {
        let near = y / 2;
        let far = if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(self.height - 1)
        };
        (&self.row(near)[..self.width], &self.row(far)[..self.width])
    }
}

/// Twice as wide: 3/4 of the nearer and 1/4 of the further sample, rounded down and up in turn.
struct Across<'a> {
    row: &'a [u8],
    out: &'a mut [u8],
}

impl Kernel for Across<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (row, last) = (self.row, self.row.len() - 1);
        let (out, _) = self.out.as_chunks_mut::<2>();
        let at = |x: usize| u16::from(row[x]);
        // Interior pairs; the end of `out` is the picture's width, which can cut the last pair in two.
        for (out, window) in out[1..].iter_mut().zip(row.windows(3)) {
            let (left, here, right) = (
                u16::from(window[0]),
                u16::from(window[1]),
                u16::from(window[2]),
            );
            *out = [
                ((here * 3 + left + 1) >> 2) as u8,
                ((here * 3 + right + 2) >> 2) as u8,
            ];
        }
        out[0] = [row[0], ((at(0) * 3 + at(1) + 2) >> 2) as u8];
        if let Some(out) = out.get_mut(last) {
            *out = [((at(last) * 3 + at(last - 1) + 1) >> 2) as u8, row[last]];
        }
    }
}

/// Twice as wide and high: the same filter both ways, rounded once.
struct Both<'a> {
    near: &'a [u8],
    far: &'a [u8],
    out: &'a mut [u8],
}

impl Kernel for Both<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (near, far, last) = (self.near, &self.far[..self.near.len()], self.near.len() - 1);
        let (out, _) = self.out.as_chunks_mut::<2>();
        let sum = |x: usize| u16::from(near[x]) * 3 + u16::from(far[x]);
        for ((out, near), far) in out[1..].iter_mut().zip(near.windows(3)).zip(far.windows(3)) {
            let mix = |i: usize| u16::from(near[i]) * 3 + u16::from(far[i]);
            let (left, here, right) = (mix(0), mix(1), mix(2));
            *out = [
                ((here * 3 + left + 8) >> 4) as u8,
                ((here * 3 + right + 7) >> 4) as u8,
            ];
        }
        out[0] = [
            ((sum(0) * 4 + 8) >> 4) as u8,
            ((sum(0) * 3 + sum(1) + 7) >> 4) as u8,
        ];
        if let Some(out) = out.get_mut(last) {
            *out = [
                ((sum(last) * 3 + sum(last - 1) + 8) >> 4) as u8,
                ((sum(last) * 4 + 7) >> 4) as u8,
            ];
        }
    }
}
