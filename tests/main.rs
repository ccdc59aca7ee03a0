//! Integration tests: the command line as a user meets it, and the networks against recorded figures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_os = "linux")]
mod bad_inputs;
mod calibration;
mod closed_output;
mod compare;
#[cfg(unix)]
mod conditions;
mod detectors;
#[cfg(any(feature = "cuda", feature = "wgpu"))]
mod devices;
mod documents;
mod end_to_end;
mod exchange;
mod export;
mod features;
mod golden;
#[path = "../crates/data/tests/support/files.rs"]
#[allow(dead_code, reason = "made for the tests of images")]
mod image_files;
#[cfg(unix)]
mod interrupt;
mod json_schema;
#[cfg(unix)]
mod kills;
mod methods;
mod own_data;
mod own_files;
#[path = "../crates/data/tests/support/own_folders.rs"]
mod own_folders;
mod parity;
mod pixel_systems;
mod precision;
mod predict;
mod readme;
mod report;
mod resume;
mod said;
mod schemas;
mod small_run;
mod support;
mod survive;
mod wrong_input;
