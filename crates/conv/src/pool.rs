//! Max pooling and concatenation on the blocked layout.
// unsafe: the vector operations are.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::isa::{Isa, LANES};
use crate::parallel::for_each;
use crate::simd::{Simd, simd_entry};

impl Blocked {
    /// Largest value of each `kernel` x `kernel` window; windows are `stride` apart and clipped at the border after
    /// `padding`.
    ///
    /// # Panics
    /// If a size is zero, the padding not smaller than the kernel, or the padded map smaller than the kernel.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Blocked {
        assert!(
            kernel > 0 && stride > 0 && padding < kernel,
            "a window needs a size, a stride and less padding than size"
        );
        let out = |size: usize| {
            assert!(
                size + 2 * padding >= kernel,
                "a map of {size} is smaller than the window {kernel}"
            );
            (size + 2 * padding - kernel) / stride + 1
        };
        let (height, width) = (self.height(), self.width());
        let mut pooled = Blocked::stale(self.batch(), self.channels(), out(height), out(width));
        let (out_h, out_w) = (pooled.height(), pooled.width());
        let isa = Isa::best();
        let planes = self.data.chunks(height * width * LANES);
        let pooled_planes = pooled.data.chunks_mut(out_h * out_w * LANES);
        for_each(planes.zip(pooled_planes), |(from, to)| {
            let job = Job {
                from,
                size: [height, width],
                kernel,
                stride,
                padding,
                to,
                out: [out_h, out_w],
            };
            // SAFETY: the planes are as large as `size` and `out` say.
            unsafe { pool(isa, job) };
        });
        pooled
    }

    /// Maps of the same batch and size, channels after channels.
    ///
    /// # Panics
    /// If `maps` is empty, sizes differ, or a map other than the last has a number of channels that 16 does not divide.
    pub fn concatenate(maps: &[&Blocked]) -> Blocked {
        let [batch, _, height, width] = maps[0].shape();
        let channels = maps.iter().map(|map| map.channels()).sum();
        let mut joined = Blocked::stale(batch, channels, height, width);
        for (i, map) in maps.iter().enumerate() {
            let [b, c, h, w] = map.shape();
            assert!(
                [b, h, w] == [batch, height, width],
                "maps of different sizes cannot be joined"
            );
            assert!(
                c % LANES == 0 || i + 1 == maps.len(),
                "only the last map may have a partly filled block"
            );
        }
        let image_len = joined.image_len();
        let images = joined.data.chunks_mut(image_len).enumerate();
        for_each(images, |(n, mut to)| {
            for map in maps {
                let len = map.image_len();
                let (part, rest) = to.split_at_mut(len);
                part.copy_from_slice(&map.data[n * len..][..len]);
                to = rest;
            }
        });
        joined
    }
}

/// One plane of 16 channels.
struct Job<'a> {
    from: &'a [f32],
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    to: &'a mut [f32],
    out: [usize; 2],
}

simd_entry!(
    /// Pools the plane.
    ///
    /// # Safety
    /// The job's planes are as large as it says.
    pool = plane(job: Job<'_>)
);

#[inline(always)]
unsafe fn plane<S: Simd>(job: Job<'_>) {
    // SAFETY: the caller's promise; windows are clipped to the plane.
    unsafe {
        let (from, to) = (job.from.as_ptr(), job.to.as_mut_ptr());
        let [height, width] = job.size;
        for y in 0..job.out[0] {
            let rows = (y * job.stride).saturating_sub(job.padding)
                ..(y * job.stride + job.kernel - job.padding).min(height);
            for x in 0..job.out[1] {
                let cols = (x * job.stride).saturating_sub(job.padding)
                    ..(x * job.stride + job.kernel - job.padding).min(width);
                let mut largest = S::splat(f32::NEG_INFINITY);
                for row in rows.start..rows.end {
                    for col in cols.start..cols.end {
                        let value = S::load(from.add((row * width + col) * LANES));
                        largest = S::max(largest, value);
                    }
                }
                S::store(to.add((y * job.out[1] + x) * LANES), largest);
            }
        }
    }
}
