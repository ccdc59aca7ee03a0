//! Pages from plain data: whatever is in it, and whatever is missing.
#![allow(clippy::unwrap_used)]

mod comparisons;
mod runs;
mod support;
