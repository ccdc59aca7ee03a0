//! Cosine distances of two sets of maps.
// unsafe: the vector operations are.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::isa::{Isa, LANES};
use crate::parallel::for_each;
use crate::simd::{Simd, simd_entry};

impl Blocked {
    /// `1 - a b / sqrt(max(a a, smallest) max(b b, smallest))` of the channels at every position:
    /// `[batch, height, width]`.
    ///
    /// # Panics
    /// If the maps have different shapes.
    pub fn cosine_distance(&self, other: &Blocked, smallest: f32) -> Vec<f32> {
        assert_eq!(
            self.shape(),
            other.shape(),
            "only maps of the same shape have a distance"
        );
        let (pixels, width) = (self.height() * self.width(), self.width());
        let mut distances = vec![0.0; self.batch() * pixels];
        let isa = Isa::best();
        for_each(distances.chunks_mut(width).enumerate(), |(row, out)| {
            let (n, y) = (row / self.height(), row % self.height());
            let at = n * self.image_len() + y * width * LANES;
            let job = Job {
                a: &self.data[at..],
                b: &other.data[at..],
                blocks: self.blocks(),
                plane: pixels * LANES,
                smallest,
                out,
            };
            // SAFETY: both maps go on with the row and, a plane further each, the row in the other blocks.
            unsafe { row_distances(isa, job) };
        });
        distances
    }
}

/// One row of one image.
struct Job<'a> {
    a: &'a [f32],
    b: &'a [f32],
    blocks: usize,
    /// From a block of channels to the next.
    plane: usize,
    smallest: f32,
    out: &'a mut [f32],
}

simd_entry!(
    /// Writes the row's distances.
    ///
    /// # Safety
    /// `a` and `b` cover the row in every block.
    row_distances = row(job: Job<'_>)
);

#[inline(always)]
unsafe fn row<S: Simd>(job: Job<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        for (x, distance) in job.out.iter_mut().enumerate() {
            let mut sums = [S::splat(0.0); 3];
            for block in 0..job.blocks {
                let at = block * job.plane + x * LANES;
                let (a, b) = (job.a.as_ptr().add(at), job.b.as_ptr().add(at));
                let (a, b) = (S::load(a), S::load(b));
                sums[0] = S::fma(a, b, sums[0]);
                sums[1] = S::fma(a, a, sums[1]);
                sums[2] = S::fma(b, b, sums[2]);
            }
            let mut totals = [0.0f32; 3];
            for (total, sum) in totals.iter_mut().zip(sums) {
                let mut lanes = [0.0f32; LANES];
                S::store(lanes.as_mut_ptr(), sum);
                *total = lanes.iter().sum();
            }
            let norms = totals[1].max(job.smallest).sqrt() * totals[2].max(job.smallest).sqrt();
            *distance = 1.0 - totals[0] / norms;
        }
    }
}
