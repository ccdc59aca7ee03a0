//! The operators on memory of the CPU backend.

mod adam;
mod conv;
mod elementwise;
pub(crate) mod frozen;
mod kept;
mod norm;
mod operands;
mod squares;

pub(crate) use adam::adam;
pub(crate) use conv::{conv_transpose2d, conv2d};
pub(crate) use elementwise::{leaky_relu, normalise_channels};
pub(crate) use norm::instance_norm;
pub(crate) use operands::covers;
pub(crate) use squares::sum_of_squares;

use ckaad_conv::Isa;

use crate::Precision;

/// What kernels run on in a precision.
pub(crate) fn instruction_set(precision: Precision) -> String {
    let best = Isa::best();
    let used = match precision {
        Precision::Bf16 => best,
        Precision::F32 | Precision::Tf32 => best.min(Isa::Avx512),
    };
    format!("{used:?}")
}
