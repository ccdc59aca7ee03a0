//! f32 convolution kernels for the CPU.

mod blocked;
mod buffer;
mod conv;
mod direct;
mod epilogue;
mod isa;
mod parallel;
mod stem;
mod tile;
mod transpose;
mod weights;
mod winograd;
mod winograd_transform;

pub use blocked::Blocked;
pub use conv::{Algorithm, Conv2d, PackedConv2d};
pub use epilogue::Activation;
pub use isa::Isa;

#[cfg(test)]
mod tests;
