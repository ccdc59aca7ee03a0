//! An anomaly map with its ground truth.

use crate::error::MetricError;

/// One image's anomaly map and mask, both row by row. Sets may mix sizes.
#[derive(Debug, Clone, Copy)]
pub struct AnnotatedMap<'a> {
    /// Score of every pixel, `height * width` of them; higher is more anomalous.
    pub scores: &'a [f32],
    /// Which pixels are anomalous; `None` for a normal image.
    pub mask: Option<&'a [bool]>,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl<'a> AnnotatedMap<'a> {
    /// The map of an image whose anomalous pixels `mask` marks.
    pub fn new(scores: &'a [f32], mask: &'a [bool], height: usize, width: usize) -> Self {
        Self {
            scores,
            mask: Some(mask),
            height,
            width,
        }
    }

    /// The map of a normal image.
    pub fn normal(scores: &'a [f32], height: usize, width: usize) -> Self {
        Self {
            scores,
            mask: None,
            height,
            width,
        }
    }

    /// Checks shapes and values; `image` is the position to name.
    pub(crate) fn check(&self, image: usize) -> Result<(), MetricError> {
        let Self { height, width, .. } = *self;
        let pixels = self.scores.len();
        if height.checked_mul(width) != Some(pixels) {
            return Err(MetricError::MapShape {
                image,
                height,
                width,
                scores: pixels,
            });
        }
        if let Some(mask) = self.mask.filter(|mask| mask.len() != pixels) {
            return Err(MetricError::MaskShape {
                image,
                height,
                width,
                mask: mask.len(),
            });
        }
        if pixels == 0 {
            return Err(MetricError::Empty);
        }
        if u32::try_from(pixels).is_err() {
            return Err(MetricError::TooLarge { image });
        }
        match crate::score::check_finite(self.scores) {
            Err(MetricError::NonFiniteScore { index, .. }) => Err(MetricError::NonFinitePixel {
                image,
                row: index / width,
                column: index % width,
                value: self.scores[index],
            }),
            other => other,
        }
    }

    /// Whether the mask marks a pixel.
    pub fn is_anomalous(&self) -> bool {
        self.mask.is_some_and(|mask| mask.contains(&true))
    }
}
