//! Instruction sets.

use std::sync::OnceLock;

/// Lanes of a vector, and channels of a block in the blocked layout.
pub(crate) const LANES: usize = 16;

/// The instruction set that the kernels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// Plain Rust: correct everywhere, whatever speed the compiler finds.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512F.
    Avx512,
    /// AVX-512 that multiplies pairs of bf16 (`vdpbf16ps`). In single precision it does the same as [`Self::Avx512`].
    Avx512Bf16,
}

impl Isa {
    /// The best instruction set of this processor. The environment variable `CKAAD_CONV_ISA` (`portable`, `avx2`,
    /// `avx512`, `avx512bf16`) can lower it, never raise it; it is read once.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let found = Isa::detect();
            match std::env::var("CKAAD_CONV_ISA").as_deref() {
                Ok("portable") => Isa::Portable,
                Ok("avx2") => found.min(Isa::Avx2),
                Ok("avx512") => found.min(Isa::Avx512),
                _ => found,
            }
        })
    }

    #[cfg(target_arch = "x86_64")]
    fn detect() -> Isa {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
        {
            if is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw") {
                Isa::Avx512Bf16
            } else {
                Isa::Avx512
            }
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            Isa::Avx2
        } else {
            Isa::Portable
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detect() -> Isa {
        Isa::Portable
    }

    /// This instruction set, or the processor's best where it lacks this one.
    pub(crate) fn supported(self) -> Isa {
        self.min(Isa::detect())
    }

    /// Every instruction set this processor can run.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Isa> {
        [Isa::Portable, Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16]
            .into_iter()
            .filter(|isa| *isa <= Isa::detect())
            .collect()
    }
}

/// How the operands of a product lie in memory, and what multiplies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Multiplier {
    /// One value in each word of 32 bits.
    Floats(Isa),
    /// Two values of bf16 in each word, both multiplied and summed by one instruction of [`Isa::Avx512Bf16`].
    Pairs,
}

impl Multiplier {
    /// Words that hold the sixteen channels of a block.
    pub(crate) fn block_words(self) -> usize {
        match self {
            Self::Floats(_) => LANES,
            Self::Pairs => LANES / 2,
        }
    }
}
