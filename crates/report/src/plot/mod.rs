//! Plots as SVG: drawn here, coloured by the style of the page, or by a style of their own in a file.

mod axis;
mod chart;
mod draw;
mod histogram;

pub(crate) use axis::Axis;
pub(crate) use chart::{Chart, Series};
pub(crate) use histogram::histogram;

/// The style that plots have in a page and in a file.
pub(crate) const STYLE: &str = include_str!("plot.css");
