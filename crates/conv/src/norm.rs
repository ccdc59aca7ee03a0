//! Instance norm on the blocked layout.
// unsafe: the vector operations are.
#![allow(unsafe_code)]

use crate::blocked::Blocked;
use crate::epilogue::Activation;
use crate::isa::{Isa, LANES};
use crate::parallel::for_each;
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
        let plane_len = pixels * LANES;
        for_each(
            self.data.chunks_mut(plane_len).enumerate(),
            |(task, plane)| {
                let job = Job {
                    plane,
                    scale: &scale[task % blocks * LANES..][..LANES],
                    shift: &shift[task % blocks * LANES..][..LANES],
                    epsilon,
                    residual: residual.map(|r| &r[task * plane_len..][..plane_len]),
                    relu: activation == Activation::Relu,
                };
                // SAFETY: the residual is as long as the plane.
                unsafe { normalise(isa, job) };
            },
        );
        self
    }
}

/// One plane of 16 channels.
struct Job<'a> {
    plane: &'a mut [f32],
    scale: &'a [f32],
    shift: &'a [f32],
    epsilon: f32,
    residual: Option<&'a [f32]>,
    relu: bool,
}

simd_entry!(
    /// Normalises the plane.
    ///
    /// # Safety
    /// `plane` holds whole pixels, the residual as many, `scale` and `shift` one.
    normalise = plane(job: Job<'_>)
);

/// Sum over the plane of `x` or, about a mean, of its square.
#[inline(always)]
unsafe fn sum<S: Simd>(plane: &[f32], mean: Option<S::V>) -> S::V {
    // SAFETY: the plane holds whole pixels.
    unsafe {
        let pixels = plane.len() / LANES;
        let mut total = S::splat(0.0);
        let mut first = 0;
        while first < pixels {
            let end = pixels.min(first + SPAN);
            let mut sums = [S::splat(0.0); 4];
            let mut p = first;
            while p < end {
                for (i, sum) in sums.iter_mut().enumerate() {
                    if p + i < end {
                        let x = S::load(plane.as_ptr().add((p + i) * LANES));
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
unsafe fn plane<S: Simd>(job: Job<'_>) {
    // SAFETY: the caller's promise.
    unsafe {
        let pixels = job.plane.len() / LANES;
        let count = S::splat(1.0 / pixels as f32);
        let mean = S::mul(sum::<S>(job.plane, None), count);
        let variance = S::mul(sum::<S>(job.plane, Some(mean)), count);
        let mut factor = [0.0f32; LANES];
        S::store(factor.as_mut_ptr(), variance);
        for (x, scale) in factor.iter_mut().zip(job.scale) {
            *x = scale / (*x + job.epsilon).sqrt();
        }
        let factor = S::load(factor.as_ptr());
        let offset = S::fnma(mean, factor, S::load(job.shift.as_ptr()));
        let plane = job.plane.as_mut_ptr();
        for p in 0..pixels {
            let at = plane.add(p * LANES);
            let mut x = S::fma(S::load(at), factor, offset);
            if let Some(residual) = job.residual {
                x = S::add(x, S::load(residual.as_ptr().add(p * LANES)));
            }
            if job.relu {
                x = S::max(S::splat(0.0), x);
            }
            S::store(at, x);
        }
    }
}
