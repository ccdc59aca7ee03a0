//! The same code compiled twice: for every processor, and for those with AVX2.
//!
//! Results are equal on both: integer code is exact, and the compiler never fuses or reorders floating-point operations on its own.
#![allow(
    unsafe_code,
    reason = "calling a function compiled for AVX2 is unsafe unless the processor has it, which is checked here"
)]

/// Work worth compiling for wide registers. `run` should be `#[inline(always)]`, and so should what it calls in its inner loops.
pub(crate) trait Kernel {
    /// What it computes.
    type Output;
    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest registers that this processor has.
pub(crate) fn best<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("bmi2") {
        // SAFETY: the processor has both features, as was just asked.
        return unsafe { with_avx2(kernel) };
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi2")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}
