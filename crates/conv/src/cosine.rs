//! Cosine distances of two sets of maps.
// unsafe: tasks write disjoint rows of the output, and read maps by pointer.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::isa::{Isa, LANES};
use crate::parallel::{Shared, for_each};
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
        let (rows, out) = (self.batch() * self.height(), Shared::new(&mut distances));
        let isa = Isa::best();
        for_each(rows, |row| {
            let (n, y) = (row / self.height(), row % self.height());
            let at = n * self.image_len() + y * width * LANES;
            // The row is this task's own.
            unsafe {
                let job = Job {
                    a: self.data[at..].as_ptr(),
                    b: other.data[at..].as_ptr(),
                    blocks: self.blocks(),
                    plane: pixels * LANES,
                    width,
                    smallest,
                    out: out.at(row * width),
                };
                row_distances(isa, &job);
            }
        });
        distances
    }
}

/// One row of one image.
struct Job {
    a: *const f32,
    b: *const f32,
    blocks: usize,
    /// From a block of channels to the next.
    plane: usize,
    width: usize,
    smallest: f32,
    out: *mut f32,
}

simd_entry!(
    /// Writes the row's distances.
    ///
    /// # Safety
    /// The job's pointers cover the row in every block; `out` is written by this call alone.
    row_distances = row(job: &Job)
);

#[inline(always)]
unsafe fn row<S: Simd>(job: &Job) {
    unsafe {
        for x in 0..job.width {
            let mut sums = [S::splat(0.0); 3];
            for block in 0..job.blocks {
                let at = block * job.plane + x * LANES;
                let (a, b) = (S::load(job.a.add(at)), S::load(job.b.add(at)));
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
            *job.out.add(x) = 1.0 - totals[0] / norms;
        }
    }
}
