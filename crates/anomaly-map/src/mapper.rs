use std::borrow::Cow;

use burn::tensor::Tensor;
use ckaad_ops::FeatureMap;
use rayon::prelude::*;

use crate::{DistanceMap, distances, gaussian_filter, map_distances, upsample};

/// The method's smoothing, in pixels of the image that the networks see.
const SIGMA: f64 = 4.0;

/// How anomalous every pixel of an image is, row-major, in `[0, 2 * scales]`.
#[derive(Debug, Clone, PartialEq)]
pub struct AnomalyMap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width` values.
    pub values: Vec<f32>,
}

impl AnomalyMap {
    /// The value at a row and a column.
    ///
    /// # Panics
    /// If the position is outside.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        assert!(column < self.width, "column within the map");
        self.values[row * self.width + column]
    }

    /// The largest value; minus infinity if the map is empty.
    pub fn largest(&self) -> f64 {
        let largest = self
            .values
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        f64::from(largest)
    }

    /// The map at another size, bilinearly, corner pixels on corner pixels.
    ///
    /// # Panics
    /// If height or width is zero.
    pub fn at_size(&self, height: usize, width: usize) -> Cow<'_, Self> {
        if (self.height, self.width) == (height, width) {
            return Cow::Borrowed(self);
        }
        let mut values = vec![0.0; height * width];
        upsample(
            &self.values,
            [self.height, self.width],
            &mut values,
            [height, width],
        );
        Cow::Owned(Self {
            height,
            width,
            values,
        })
    }
}

/// Turns distances into anomaly maps of image size: every scale up-sampled bilinearly, the scales added, the sum smoothed
/// by a Gaussian.
#[derive(Debug, Clone, PartialEq)]
pub struct AnomalyMapper {
    height: usize,
    width: usize,
    sigma: f64,
}

impl AnomalyMapper {
    /// Maps of that height and width, smoothed with the method's standard deviation of 4 pixels.
    ///
    /// # Panics
    /// If height or width is zero.
    pub fn new(height: usize, width: usize) -> Self {
        assert!(height > 0 && width > 0, "maps are not empty");
        Self {
            height,
            width,
            sigma: SIGMA,
        }
    }

    /// The map of one image from its distances at every scale.
    pub fn map(&self, scales: &[DistanceMap]) -> AnomalyMap {
        let mut values = vec![0.0; self.height * self.width];
        for scale in scales {
            let from = [scale.height, scale.width];
            upsample(&scale.values, from, &mut values, [self.height, self.width]);
        }
        gaussian_filter(&mut values, self.height, self.width, self.sigma);
        AnomalyMap {
            height: self.height,
            width: self.width,
            values,
        }
    }

    /// The maps of a batch from features and reconstructions, fine to coarse.
    ///
    /// # Shapes
    /// `features[s]` and `reconstructions[s]`: `[batch, channels(s), height(s), width(s)]`; one map per image.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn maps(&self, features: &[Tensor<4>], reconstructions: &[Tensor<4>]) -> Vec<AnomalyMap> {
        self.all(&distances(features, reconstructions))
    }

    /// [`maps`](Self::maps) of features as frozen networks hand them on.
    ///
    /// # Panics
    /// As [`maps`](Self::maps).
    pub fn maps_of_frozen(
        &self,
        features: &[FeatureMap],
        reconstructions: &[FeatureMap],
    ) -> Vec<AnomalyMap> {
        self.all(&map_distances(features, reconstructions))
    }

    fn all(&self, images: &[Vec<DistanceMap>]) -> Vec<AnomalyMap> {
        images.par_iter().map(|scales| self.map(scales)).collect()
    }
}
