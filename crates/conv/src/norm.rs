//! Instance norm on the blocked layout.
// unsafe: tasks hand the kernel pointers to planes of their own.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::epilogue::Activation;
use crate::isa::{Isa, LANES};
use crate::parallel::{Shared, for_each};
use crate::simd::{Simd, simd_entry};
use crate::weights::pack_bias;

/// Pixels whose sum is taken at once: sums of sums keep the rounding error of large maps small.
const SPAN: usize = 64;

impl Blocked {
    /// `activation((x - mean) / sqrt(var + epsilon) * scale + shift + residual)` in place; mean and (biased) variance are
    /// those of each image and channel.
    ///
    /// # Panics
    /// If `scale` or `shift` has not one value per channel, or the residual another shape.
    pub fn instance_norm(
        mut self,
        scale: &[f32],
        shift: &[f32],
        epsilon: f32,
        residual: Option<&Blocked>,
        activation: Activation,
    ) -> Blocked {
        assert!(
            residual.is_none_or(|r| r.shape() == self.shape()),
            "the residual has another shape than the map"
        );
        let (scale, shift) = (
            pack_bias(scale, self.channels()),
            pack_bias(shift, self.channels()),
        );
        let (blocks, pixels) = (self.blocks(), self.height() * self.width());
        let residual = residual.map(|r| r.data.as_slice());
        let isa = Isa::best();
        let (planes, data) = (self.batch() * blocks, Shared::new(&mut self.data));
        for_each(planes, |task| {
            let at = task * pixels * LANES;
            // The plane is this task's own.
            unsafe {
                let job = Job {
                    plane: data.at(at),
                    pixels,
                    scale: scale[task % blocks * LANES..].as_ptr(),
                    shift: shift[task % blocks * LANES..].as_ptr(),
                    epsilon,
                    residual: residual.map_or(std::ptr::null(), |r| r[at..].as_ptr()),
                    relu: activation == Activation::Relu,
                };
                normalise(isa, &job);
            }
        });
        self
    }
}

/// One plane of 16 channels.
struct Job {
    plane: *mut f32,
    pixels: usize,
    scale: *const f32,
    shift: *const f32,
    epsilon: f32,
    /// Or null.
    residual: *const f32,
    relu: bool,
}

simd_entry!(
    /// Normalises the plane.
    ///
    /// # Safety
    /// The job's pointers cover the plane, which is written by this call alone.
    normalise = plane(job: &Job)
);

/// Sum over the plane of `x` or, about a mean, of its square.
#[inline(always)]
unsafe fn sum<S: Simd>(job: &Job, mean: Option<S::V>) -> S::V {
    unsafe {
        let mut total = S::splat(0.0);
        let mut first = 0;
        while first < job.pixels {
            let end = job.pixels.min(first + SPAN);
            let mut sums = [S::splat(0.0); 4];
            let mut p = first;
            while p < end {
                for (i, sum) in sums.iter_mut().enumerate() {
                    if p + i < end {
                        let x = S::load(job.plane.add((p + i) * LANES));
                        *sum = match mean {
                            None => S::add(*sum, x),
                            Some(mean) => {
                                let x = S::sub(x, mean);
                                S::fma(x, x, *sum)
                            }
                        };
                    }
                }
                p += 4;
            }
            let span = S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]));
            total = S::add(total, span);
            first = end;
        }
        total
    }
}

#[inline(always)]
unsafe fn plane<S: Simd>(job: &Job) {
    unsafe {
        let count = S::splat(1.0 / job.pixels as f32);
        let mean = S::mul(sum::<S>(job, None), count);
        let variance = S::mul(sum::<S>(job, Some(mean)), count);
        let mut factor = [0.0f32; LANES];
        S::store(factor.as_mut_ptr(), variance);
        for (lane, x) in factor.iter_mut().enumerate() {
            *x = *job.scale.add(lane) / (*x + job.epsilon).sqrt();
        }
        let factor = S::load(factor.as_ptr());
        let offset = S::fnma(mean, factor, S::load(job.shift));
        for p in 0..job.pixels {
            let at = job.plane.add(p * LANES);
            let mut x = S::fma(S::load(at), factor, offset);
            if !job.residual.is_null() {
                x = S::add(x, S::load(job.residual.add(p * LANES)));
            }
            if job.relu {
                x = S::max(S::splat(0.0), x);
            }
            S::store(at, x);
        }
    }
}
