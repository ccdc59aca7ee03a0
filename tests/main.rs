//! Integration tests: the command line as a user meets it, and the networks against recorded figures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calibration;
mod closed_output;
mod compare;
mod detectors;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod devices;
mod end_to_end;
mod features;
#[cfg(unix)]
mod interrupt;
mod methods;
mod parity;
mod precision;
mod predict;
mod resume;
mod support;
mod wrong_input;
