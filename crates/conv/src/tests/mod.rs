//! Every kernel against a naive convolution in f64, and the loops that they run in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backward;
mod bf16;
mod forward;
mod halves;
mod isa;
mod layers;
mod parallel;
mod plane_norm;
mod reference;
