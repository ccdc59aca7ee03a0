//! The operators on memory of the CPU backend.

mod conv;
mod elementwise;
pub(crate) mod frozen;
mod norm;
mod operands;
mod transposed;

pub(crate) use conv::conv2d;
pub(crate) use elementwise::{leaky_relu, normalise_channels};
pub(crate) use norm::instance_norm;
pub(crate) use transposed::conv_transpose2d;
