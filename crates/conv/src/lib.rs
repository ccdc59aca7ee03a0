//! Convolution kernels for the CPU, on plain slices of f32: forward, input gradient and weight gradient.
//!
//! | convolution | algorithm |
//! |---|---|
//! | 3x3, stride 1, padding 1 | Winograd's F(4x4, 3x3): a quarter of the products, about 1e-6 relative rounding error |
//! | images of up to 4 channels | direct, kernel rows as runs of interleaved pixels |
//! | everything else | direct, tap by tap on blocks of 16 channels |
//! | transposed, stride = kernel | one product of matrices per position of the kernel |
//!
//! Two ways in. Contiguous `[batch, channels, height, width]` slices, weights as they are ([`Convolution`]):
//! training. Or a frozen network that stays in the [`Blocked`] layout from layer
//! to layer, its weights packed once ([`Conv2d::pack`]), with bias, residual and ReLU done on the way out of each
//! convolution:
//!
//! ```
//! use ckaad_conv::{Activation, Blocked, Conv2d, Convolution};
//!
//! let conv = Conv2d::new(16, 32, 3, 1, 1);
//! let packed = conv.pack(&vec![0.01; conv.weight_len()], Some(&[0.5; 32]));
//! let input = Blocked::from_nchw(&vec![1.0; 16 * 8 * 8], 1, 16, 8, 8);
//! let output = packed.forward(&input, None, Activation::Relu);
//! assert_eq!(output.shape(), [1, 32, 8, 8]);
//! let mut nchw = vec![0.0; 32 * 8 * 8];
//! output.to_nchw(&mut nchw);
//! assert!((nchw[9] - (16.0 * 9.0 * 0.01 + 0.5)).abs() < 1e-5);
//! ```
//!
//! Loops run on rayon's current pool; call a whole network from within it (`rayon::scope`) to save a hand-over per layer.
//! Every result is summed in an order that depends on the shapes alone: the same input gives the same bits, on one
//! thread or many. AVX-512 and AVX2 are used where the processor has them ([`Isa`]).
//!
//! [`Conv2d::in_bf16`] rounds operands and results of all three passes to bf16, with sums in f32. Direct and interleaved convolutions
//! then multiply pairs of values by one instruction where the processor has it ([`Isa::Avx512Bf16`]): pairs of channels, or of
//! pixels in the weight gradient. Elsewhere, and in Winograd's algorithm, floats that hold the rounded values are multiplied.
//! With [`Isa::Amx`] all but interleaved convolutions are direct and multiply tiles: 16 pixels (or, in the weight gradient, channels)
//! times 16 channels, and 32 channels (or pixels) of each at a time.
//!
//! Invariant: `unsafe` is confined to the files that begin with the reason for it; they are the kernels, and the loops that
//! hand them pointers where the part of an output that a task writes is no slice of its own.

#[cfg(target_arch = "x86_64")]
mod amx;
mod blocked;
mod buffer;
mod conv;
mod convolution;
mod cosine;
mod direct;
mod epilogue;
mod halves;
mod images;
mod input_grad;
mod isa;
mod norm;
mod outer;
mod packed;
mod pairs;
/// A slice that tasks share is borrowed until the last of them is done with it:
///
/// ```
/// # #[path = "parallel.rs"] mod parallel;
/// let mut values = [0.0; 4];
/// let shared = parallel::Shared::new(&mut values);
/// shared.at(3);
/// values[3] = 1.0;
/// ```
///
/// ```compile_fail,E0506
/// # #[path = "parallel.rs"] mod parallel;
/// let mut values = [0.0; 4];
/// let shared = parallel::Shared::new(&mut values);
/// values[3] = 1.0;
/// shared.at(3);
/// ```
mod parallel;
mod plane_norm;
mod pool;
mod simd;
mod stem;
mod tile;
mod tiles;
mod transpose;
mod transposed;
mod weight_grad;
mod weight_tiles;
mod weights;
mod winograd;

pub use blocked::Blocked;
/// Channels of a block.
pub const BLOCK: usize = isa::LANES;

pub use conv::{Algorithm, Conv2d};
pub use convolution::Convolution;
pub use epilogue::Activation;
pub use halves::{Halves, Kept, above_zero};
pub use isa::Isa;
pub use packed::PackedConv2d;
pub use parallel::serially;
pub use plane_norm::{InstanceNorm, NormBackward, NormForward, NormGradients, NormOutputs};
pub use transposed::{ConvTranspose2d, PackedConvTranspose2d};

#[cfg(test)]
mod tests;
