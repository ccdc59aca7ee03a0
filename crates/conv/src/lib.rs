//! f32 convolution kernels for the CPU.

mod blocked;
mod buffer;
mod conv;
mod direct;
mod epilogue;
mod input_grad;
mod isa;
mod norm;
mod outer;
mod parallel;
mod pool;
mod stem;
mod tile;
mod transpose;
mod weight_grad;
mod weights;
mod winograd;
mod winograd_grad;
mod winograd_transform;

pub use blocked::Blocked;
pub use conv::{Algorithm, Conv2d, PackedConv2d};
pub use epilogue::Activation;
pub use input_grad::{ConvTranspose2d, PackedConvTranspose2d};
pub use isa::Isa;

#[cfg(test)]
mod tests;
