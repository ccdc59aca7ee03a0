//! Max pooling and concatenation on the blocked layout.
// unsafe: tasks hand the kernel pointers to rows of their own.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::isa::{Isa, LANES};
use crate::parallel::{Shared, for_each, part};
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
        let to = Shared::new(&mut pooled.data);
        let isa = Isa::best();
        for_each(self.batch() * self.blocks(), |task| {
            let from = &self.data[task * height * width * LANES..];
            // The plane is this task's own.
            unsafe {
                let to = to.at(task * out_h * out_w * LANES);
                let job = Job {
                    from: from.as_ptr(),
                    size: [height, width],
                    kernel,
                    stride,
                    padding,
                    to,
                    out: [out_h, out_w],
                };
                pool(isa, &job);
            }
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
        let (image_len, mut offset) = (joined.image_len(), 0);
        let to = Shared::new(&mut joined.data);
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
            let len = map.image_len();
            // Each map and image has a part of its own.
            for_each(batch, |n| {
                part(to, n * image_len + offset, len).copy_from_slice(&map.data[n * len..][..len]);
            });
            offset += len;
        }
        joined
    }
}

/// One plane of 16 channels.
struct Job {
    from: *const f32,
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    to: *mut f32,
    out: [usize; 2],
}

simd_entry!(
    /// Pools the plane.
    ///
    /// # Safety
    /// The job's pointers cover the planes; `to` is written by this call alone.
    pool = plane(job: &Job)
);

#[inline(always)]
unsafe fn plane<S: Simd>(job: &Job) {
    unsafe {
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
                        let value = S::load(job.from.add((row * width + col) * LANES));
                        largest = S::max(largest, value);
                    }
                }
                S::store(job.to.add((y * job.out[1] + x) * LANES), largest);
            }
        }
    }
}
