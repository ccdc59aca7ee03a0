//! Which compute devices there are, and how to pick one at run time.
//!
//! This is the only crate that names burn's backends: the CPU (`flex`, on by default), CUDA (`burn-cuda`) and wgpu
//! (`burn-wgpu`, also pinned to Vulkan or Metal). Each stands behind the feature of its name, several can be compiled
//! into one binary, and every other crate takes the [`Device`] that [`DeviceSpec::open`] returns.
//!
//! ```
//! use ckaad_device::DeviceSpec;
//!
//! let device = "cpu".parse::<DeviceSpec>()?.open()?;
//! assert!(!device.is_autodiff());
//! assert!("gpu".parse::<DeviceSpec>().is_err());
//! # Ok::<(), ckaad_device::DeviceError>(())
//! ```

mod spec;
#[cfg(feature = "flex")]
mod threads;

pub use burn::tensor::Device;
pub use spec::{DeviceError, DeviceSpec, available};

/// The CPU.
#[cfg(feature = "flex")]
pub fn cpu() -> Device {
    Device::flex()
}
