//! Every kernel against a naive convolution in f64.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backward;
mod forward;
mod layers;
mod plane_norm;
mod reference;
