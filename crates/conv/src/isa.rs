//! Instruction sets.

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::amx;

/// Lanes of a vector, and channels of a block in the blocked layout.
pub(crate) const LANES: usize = 16;

/// The instruction set that the kernels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isa {
    /// [`Self::Portable`] that multiplies bf16 in tiles, as [`Self::Amx`] does: how tests look at that on any processor.
    #[cfg(test)]
    PlainTiles,
    /// Plain Rust: correct everywhere, whatever speed the compiler finds.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512F.
    Avx512,
    /// AVX-512 that multiplies pairs of bf16 (`vdpbf16ps`). In single precision it does the same as [`Self::Avx512`].
    Avx512Bf16,
    /// AVX-512 that multiplies pairs of bf16, with AMX: sixteen rows times sixteen columns of 32 by one instruction. In single precision it
    /// does the same as [`Self::Avx512`].
    Amx,
}

impl Isa {
    /// The best instruction set of this processor. The environment variable `CKAAD_CONV_ISA` (`portable`, `avx2`,
    /// `avx512`, `avx512bf16`, `amx`) can lower it, never raise it; it is read once.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let found = Isa::detect();
            match std::env::var("CKAAD_CONV_ISA").as_deref() {
                Ok("portable") => Isa::Portable,
                Ok("avx2") => found.min(Isa::Avx2),
                Ok("avx512") => found.min(Isa::Avx512),
                Ok("avx512bf16") => found.min(Isa::Avx512Bf16),
                _ => found,
            }
        })
    }

    /// What the processor has; looked at once.
    fn detect() -> Isa {
        static FOUND: OnceLock<Isa> = OnceLock::new();
        *FOUND.get_or_init(Isa::look)
    }

    #[cfg(target_arch = "x86_64")]
    fn look() -> Isa {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
        {
            if is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512bw") {
                if amx::is_available() {
                    Isa::Amx
                } else {
                    Isa::Avx512Bf16
                }
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
    fn look() -> Isa {
        Isa::Portable
    }

    /// This instruction set, or the processor's best where it lacks this one.
    pub(crate) fn supported(self) -> Isa {
        self.min(Isa::detect())
    }

    /// Every instruction set this processor can run.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Isa> {
        use Isa::{Amx, Avx2, Avx512, Avx512Bf16, Portable};
        [Portable, Avx2, Avx512, Avx512Bf16, Amx]
            .into_iter()
            .filter(|isa| *isa <= Isa::detect())
            .collect()
    }

    /// What multiplies bf16.
    pub(crate) fn of_bf16(self) -> Multiplier {
        match self {
            #[cfg(test)]
            Self::PlainTiles => Multiplier::Tiles(self),
            Self::Portable | Self::Avx2 | Self::Avx512 => Multiplier::Floats(self),
            Self::Avx512Bf16 => Multiplier::Pairs,
            Self::Amx => Multiplier::Tiles(self),
        }
    }
}

/// How the operands of a product lie in memory, and what multiplies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Multiplier {
    /// One value in each word of 32 bits.
    Floats(Isa),
    /// Two values of bf16 in each word, both multiplied and summed by one instruction of [`Isa::Avx512Bf16`].
    Pairs,
    /// Two values of bf16 in each word, which [`Isa::Amx`] multiplies by sixteen rows of sixteen words.
    Tiles(Isa),
}

impl Multiplier {
    /// Channels that are multiplied at a time.
    pub(crate) fn block_channels(self) -> usize {
        match self {
            Self::Floats(_) | Self::Pairs => LANES,
            Self::Tiles(_) => 2 * LANES,
        }
    }

    /// Words that hold those.
    pub(crate) fn block_words(self) -> usize {
        match self {
            Self::Floats(_) | Self::Tiles(_) => LANES,
            Self::Pairs => LANES / 2,
        }
    }

    /// Whether a word holds two values.
    pub(crate) fn is_paired(self) -> bool {
        !matches!(self, Self::Floats(_))
    }
}
