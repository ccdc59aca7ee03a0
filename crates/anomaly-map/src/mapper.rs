use ckaad_ops::FeatureMap;
use rayon::prelude::*;

use crate::{Align, distances, gaussian_filter, upsample};

/// The method's smoothing, in pixels of the image that the networks see.
const SIGMA: f64 = 4.0;

/// How anomalous an image is at every position of a grid of its own size, row-major: the higher, the more anomalous.
#[derive(Debug, Clone, PartialEq)]
pub struct AnomalyMap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width` values.
    pub values: Vec<f32>,
}

/// Turns maps of several scales into one of any size: every scale up-sampled bilinearly, the scales added, the sum smoothed by a
/// Gaussian.
#[derive(Debug, Clone, PartialEq)]
pub struct AnomalyMapper {
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// Standard deviation of the smoothing, in pixels of a map.
    pub sigma: f64,
    /// How the pixels of a scale and of a map lie over each other.
    pub align: Align,
}

impl AnomalyMapper {
    /// The method's: maps of that height and width, the corners of all scales aligned, smoothed with a standard deviation of 4
    /// pixels.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            sigma: SIGMA,
            align: Align::Corners,
        }
    }

    /// The map of one image from its maps at every scale.
    ///
    /// # Panics
    /// If a size is zero, or `sigma` is not positive.
    pub fn map(&self, scales: &[AnomalyMap]) -> AnomalyMap {
        let (height, width) = (self.height, self.width);
        let mut values = vec![0.0; height * width];
        for scale in scales {
            let from = [scale.height, scale.width];
            upsample(
                &scale.values,
                from,
                &mut values,
                [height, width],
                self.align,
            );
        }
        gaussian_filter(&mut values, height, width, self.sigma);
        AnomalyMap {
            height,
            width,
            values,
        }
    }

    /// The maps of a batch from the distances of features and reconstructions, fine to coarse; values in `[0, 2 * scales]`.
    ///
    /// # Shapes
    /// `features[s]` and `reconstructions[s]`: `[batch, channels(s), height(s), width(s)]`; one map per image.
    ///
    /// # Panics
    /// As [`map`](Self::map), or if the shapes differ.
    pub fn maps(&self, features: &[FeatureMap], reconstructions: &[FeatureMap]) -> Vec<AnomalyMap> {
        distances(features, reconstructions)
            .par_iter()
            .map(|scales| self.map(scales))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_a_size_of_its_own() {
        let scale = |height, width, values: &[f32]| AnomalyMap {
            height,
            width,
            values: values.to_vec(),
        };
        let scales = [scale(1, 2, &[0.0, 4.0]), scale(1, 1, &[1.0])];
        let mapper = AnomalyMapper {
            sigma: 0.1,
            ..AnomalyMapper::new(2, 5)
        };
        let map = mapper.map(&scales);
        assert_eq!((map.height, map.width), (2, 5));
        assert_eq!(map.values, [1.0, 2.0, 3.0, 4.0, 5.0].repeat(2));
        let edges = AnomalyMapper {
            width: 4,
            align: Align::Edges,
            ..mapper
        };
        assert_eq!(edges.map(&scales).values, [1.0, 2.0, 4.0, 5.0].repeat(2));
    }
}
