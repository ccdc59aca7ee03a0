//! One module per command.

pub(crate) mod compare;
pub(crate) mod datasets;
pub(crate) mod demo;
pub(crate) mod devices;
pub(crate) mod evaluate;
pub(crate) mod export;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod train;
pub(crate) mod weights;
