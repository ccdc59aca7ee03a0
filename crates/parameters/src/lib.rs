//! Named parameters of networks, independent of any one network.
//!
//! - [`NamedTensors`]: name -> shape and `f32` values; read from `.safetensors` and PyTorch `.pth` files, written as
//!   safetensors.
//! - [`Seal`]: safetensors files of ours, with a version and a digest over everything in them.
//! - [`collect`], [`apply`], [`fill`]: move them out of and into a burn module, strictly: what is missing, left over or
//!   of another shape is an error that names it.
//! - [`torch_name`]: what a parameter is called in PyTorch.
//! - [`Initialisation`]: seeded starting values that depend on the seed and each parameter's name alone, never on the
//!   order in which parameters are first touched.
//!
//! A parameter's name is its path in the module, joined by dots; the `gamma` and `beta` of norms are called `weight` and
//! `bias`, as every other framework calls them.
//!
//! ```
//! use burn::nn::conv::Conv2dConfig;
//! use ckaad_device::cpu;
//! use ckaad_parameters::{Initialisation, collect};
//!
//! let conv = Conv2dConfig::new([3, 8], [3, 3]).with_bias(false).init(&cpu());
//! let conv = Initialisation::KaimingNormal.fill(conv, 7);
//! let names: Vec<_> = collect(&conv).names().map(str::to_owned).collect();
//! assert_eq!(names, ["weight"]);
//! ```

mod error;
#[doc(hidden)]
pub mod fuzzing;
mod init;
mod module;
mod named;
mod read;
mod sealed;
mod torch_name;

pub use error::{ParameterError, UnusableValue};
pub use init::Initialisation;
pub use module::{LayerKind, ParameterInfo, apply, collect, fill};
pub use named::{NamedTensor, NamedTensors, ParameterView};
pub use sealed::{Seal, SealError, Sealed};
pub use torch_name::torch_name;
