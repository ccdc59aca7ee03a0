//! The objectives of coarse-knowledge-aware adversarial learning, as plain functions of tensors.
//!
//! Equation numbers are those of the paper (CKAAD, AAAI-25). Energies come per scale as `[images, patches]`; a
//! discriminator of whole images has one scale with one patch. Every loss is a tensor with one element.
//!
//! ```
//! use burn::tensor::Tensor;
//! use ckaad_losses::reconstruction;
//!
//! let device = ckaad_device::cpu();
//! let feature = Tensor::<4>::from_floats([[[[1.0]], [[0.0]]]], &device);
//! let orthogonal = Tensor::<4>::from_floats([[[[0.0]], [[2.0]]]], &device);
//! let loss = reconstruction(&[feature], &[orthogonal]).into_scalar::<f32>();
//! assert!((loss - 1.0).abs() < 1e-6);
//! ```

mod adversarial;
mod reconstruction;

pub use adversarial::{
    DiscriminatorEnergy, adversarial_energy, adversarial_log, discriminator_log,
};
pub use reconstruction::reconstruction;

#[cfg(test)]
mod tests;
