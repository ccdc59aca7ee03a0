use burn::tensor::Tensor;
use ckaad_ops::FeatureMap;

/// The square of the smallest norm that a feature vector is divided by.
const SMALLEST_NORM_SQUARED: f32 = 1e-16;

/// One scale's distance at every position of one image, row-major, in `[0, 2]`.
#[derive(Debug, Clone, PartialEq)]
pub struct DistanceMap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width` values.
    pub values: Vec<f32>,
}

/// `1 - cos` over channels between features and reconstructions: for each image, one map per scale.
///
/// # Shapes
/// `features[s]` and `reconstructions[s]`: `[batch, channels(s), height(s), width(s)]`.
///
/// # Panics
/// If the shapes differ.
pub fn distances(features: &[Tensor<4>], reconstructions: &[Tensor<4>]) -> Vec<Vec<DistanceMap>> {
    let plain = |tensors: &[Tensor<4>]| {
        tensors
            .iter()
            .cloned()
            .map(FeatureMap::plain)
            .collect::<Vec<_>>()
    };
    map_distances(&plain(features), &plain(reconstructions))
}

/// [`distances`] of maps as frozen networks hand them on.
///
/// # Panics
/// As [`distances`].
pub fn map_distances(
    features: &[FeatureMap],
    reconstructions: &[FeatureMap],
) -> Vec<Vec<DistanceMap>> {
    assert_eq!(
        features.len(),
        reconstructions.len(),
        "one reconstruction per scale"
    );
    let batch = features.first().map_or(0, |feature| feature.dims()[0]);
    let mut images = vec![Vec::with_capacity(features.len()); batch];
    for (feature, reconstruction) in features.iter().zip(reconstructions) {
        let [_, _, height, width] = feature.dims();
        let values = feature.cosine_distance(reconstruction, SMALLEST_NORM_SQUARED);
        for (image, values) in images.iter_mut().zip(values.chunks_exact(height * width)) {
            image.push(DistanceMap {
                height,
                width,
                values: values.to_vec(),
            });
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_per_position_and_image() {
        let device = ckaad_device::cpu();
        let feature = Tensor::<4>::from_floats([[[[1.0, 3.0]], [[0.0, 4.0]]]], &device);
        let reconstruction = Tensor::<4>::from_floats([[[[2.0, 0.0]], [[0.0, 1.0]]]], &device);
        let maps = distances(
            &[feature.clone().repeat_dim(0, 2)],
            &[Tensor::cat(vec![reconstruction, feature], 0)],
        );
        assert_eq!((maps.len(), maps[0][0].height, maps[0][0].width), (2, 1, 2));
        let close = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(close(maps[0][0].values[0], 0.0) && close(maps[0][0].values[1], 0.2));
        assert!(maps[1][0].values.iter().all(|&value| close(value, 0.0)));
    }
}
