//! Reconstruction, discriminator and adversarial objectives as plain functions.
