//! What detectors are made of, each drawn in one place.

pub(crate) mod auto_encoder;
pub(crate) mod backbone;
pub(crate) mod dense;
pub(crate) mod distance;
pub(crate) mod layer;
pub(crate) mod map;
pub(crate) mod nearest;
pub(crate) mod pooling;
pub(crate) mod residual;
pub(crate) mod score;
pub(crate) mod triangular;

use crate::graph::Value;

/// Feature maps of a scale: `[N, channels, height, width]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) value: Value,
    /// Channels, height, width.
    pub(crate) shape: [usize; 3],
}

impl Scale {
    /// Positions of a map.
    pub(crate) fn positions(&self) -> usize {
        self.shape[1] * self.shape[2]
    }

    /// Other maps with those channels on the same grid.
    pub(crate) fn with(&self, value: Value, channels: usize) -> Self {
        let [_, height, width] = self.shape;
        Self {
            value,
            shape: [channels, height, width],
        }
    }
}
