//! How exactly convolutions and linear layers multiply.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{Device, FloatDType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How exactly convolutions and linear layers multiply. Their sums, and all else that networks compute, are in single precision.
///
/// Forward and backward passes do the same. A CPU imitates [`Tf32`](Self::Tf32), and [`Bf16`](Self::Bf16) where it has no instructions
/// for it (AVX512-BF16, AMX), which shows what they do to results; it is faster in [`F32`](Self::F32) then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Single precision, 24 significant bits.
    ///
    /// The kernels for CUDA round what they multiply to tf32 whenever that is faster. There each operand is split into a bf16 value
    /// and the rest, and three products take the place of one (after Ootomo and Yokota 2022, "Recovering single precision accuracy
    /// from Tensor Cores"): each is off by less than `2^-19`, and by about `2^-21` on average.
    #[default]
    F32,
    /// Operands may be rounded to 11 significant bits (NVIDIA's TF32), as the kernels for CUDA do. Other GPUs, NVIDIA's before Ampere
    /// among them, have no such format and multiply in single precision.
    Tf32,
    /// Operands and results are rounded to 8 significant bits (bfloat16). On CPUs without AMX 3x3 convolutions by Winograd's algorithm
    /// multiply sums of rounded operands in single precision: there bf16 is no gain, and would lose more.
    Bf16,
}

impl Precision {
    /// Every precision, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Tf32, Self::Bf16];

    /// Whether `device` can compute so.
    pub fn is_supported(self, device: &Device) -> bool {
        self != Self::Bf16 || device.supports_dtype(FloatDType::BF16)
    }

    /// Whether `device` does so to no gain, only to show what it does to results.
    pub fn is_imitated(self, device: &Device) -> bool {
        match device.clone().inner().as_dispatch() {
            #[cfg(feature = "flex")]
            burn::backend::DispatchDevice::Flex(_) => match self {
                Self::F32 => false,
                Self::Tf32 => true,
                Self::Bf16 => ckaad_conv::Isa::best() < ckaad_conv::Isa::Avx512Bf16,
            },
            _ => false,
        }
    }

    /// Whether `device` takes three products where it takes one in [`Tf32`](Self::Tf32).
    pub fn is_split(self, device: &Device) -> bool {
        match device.clone().inner().as_dispatch() {
            #[cfg(feature = "cube")]
            burn::backend::DispatchDevice::Cube(burn::backend::CubeDevice::Cuda(_)) => {
                self == Self::F32
            }
            _ => false,
        }
    }
}

/// No precision has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" names no precision; use f32, tf32 or bf16")]
pub struct UnknownPrecision {
    /// What was asked for.
    pub name: String,
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.to_string() == name)
            .ok_or_else(|| UnknownPrecision {
                name: name.to_owned(),
            })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}
