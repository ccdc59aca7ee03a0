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
}

impl Isa {
    /// The best instruction set of this processor. The environment variable `CKAAD_CONV_ISA` (`portable`, `avx2`,
    /// `avx512`) can lower it, never raise it; it is read once.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let found = Isa::detect();
            match std::env::var("CKAAD_CONV_ISA").as_deref() {
                Ok("portable") => Isa::Portable,
                Ok("avx2") => found.min(Isa::Avx2),
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
            Isa::Avx512
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
        [Isa::Portable, Isa::Avx2, Isa::Avx512]
            .into_iter()
            .filter(|isa| *isa <= Isa::detect())
            .collect()
    }
}
