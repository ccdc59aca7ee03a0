//! The layers that take the time, on burn tensors: convolution, transposed convolution, instance norm.
//!
//! On the CPU backend in single precision and in bf16 they run the kernels of `ckaad-conv`, forward and backward, and compute no gradient that
//! nobody asks for. On every other device and of every other type they are burn's own operators. How exactly they multiply is for
//! the caller to say: [`Precision`].
//!
//! ```
//! use burn::nn::conv::Conv2dConfig;
//! use burn::nn::PaddingConfig2d;
//! use burn::tensor::{Device, Tensor};
//! use ckaad_ops::Precision;
//!
//! let device = Device::default();
//! let conv = Conv2dConfig::new([16, 32], [3, 3])
//!     .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
//!     .init(&device);
//! let x = Tensor::ones([1, 16, 8, 8], &device);
//! let y = ckaad_ops::conv2d(&conv, x, Precision::F32);
//! assert_eq!(y.dims(), [1, 32, 8, 8]);
//! ```
//!
//! A network that learns no more runs faster still: [`FrozenConv`] and [`FrozenNorm`] keep their weights packed and pass
//! [`FeatureMap`]s on in the kernels' own layout.
//!
//! Beside the device crate this is the one that names a backend: kernels on slices need to know whose memory they read.
//! The device crate's feature `flex` switches them on, and its features for GPUs switch on `cube`, by which products on GPUs can be
//! controlled.

// Without a backend there are no tensors, and much is never reached.
#![cfg_attr(
    not(any(feature = "flex", feature = "cube")),
    allow(dead_code, unreachable_code, unused_imports, unused_variables)
)]

mod activation;
mod adam;
mod conv;
#[cfg(feature = "flex")]
mod flex;
mod frozen;
#[cfg(not(feature = "flex"))]
mod no_kernels;
mod norm;
mod normalise;
mod pool;
mod precision;
mod product;
mod residual;
mod rounding;
mod squares;

pub use activation::Activation;
pub use adam::Adam;
pub use conv::{conv_transpose2d, conv2d, linear};
pub use frozen::{FeatureMap, FrozenConv, FrozenNorm};
pub use norm::{batch_norm, instance_norm};
pub use normalise::{leaky_relu, normalise_channels};
pub use pool::in_pool;
pub use precision::{Precision, UnknownPrecision};
pub use residual::{Layer, LayerShape, Residual, Resize};
pub use squares::sum_of_squares;

/// The instructions that kernels on the CPU use on this processor in a precision: results of others differ in the last digits.
pub fn instruction_set(precision: Precision) -> String {
    #[cfg(feature = "flex")]
    return flex::instruction_set(precision);
    #[cfg(not(feature = "flex"))]
    String::from("none")
}

#[cfg(all(test, feature = "flex"))]
mod tests;
