//! Reconstructs multi-scale feature maps through a fused latent.
