//! Every kernel against a naive convolution in f64, and the loops that they run in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod amx;
mod backward;
mod bf16;
mod forward;
mod halves;
mod isa;
mod layers;
mod parallel;
mod plane_norm;
mod reference;
