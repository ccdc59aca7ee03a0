use ckaad_ops::FeatureMap;

use crate::AnomalyMap;

/// The square of the smallest norm that a feature vector is divided by.
const SMALLEST_NORM_SQUARED: f32 = 1e-16;

/// `1 - cos` over channels, in `[0, 2]`, between features and reconstructions: for each image, one map per scale.
///
/// # Shapes
/// `features[s]` and `reconstructions[s]`: `[batch, channels(s), height(s), width(s)]`.
///
/// # Panics
/// If the shapes differ.
pub fn distances(features: &[FeatureMap], reconstructions: &[FeatureMap]) -> Vec<Vec<AnomalyMap>> {
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
            image.push(AnomalyMap {
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
    use burn::tensor::Tensor;

    use super::*;

    #[test]
    fn distances_are_per_position_and_image() {
        let device = ckaad_device::cpu();
        let feature = Tensor::<4>::from_floats([[[[1.0, 3.0]], [[0.0, 4.0]]]], &device);
        let reconstruction = Tensor::<4>::from_floats([[[[2.0, 0.0]], [[0.0, 1.0]]]], &device);
        let maps = distances(
            &[FeatureMap::new(feature.clone().repeat_dim(0, 2))],
            &[FeatureMap::new(Tensor::cat(
                vec![reconstruction, feature],
                0,
            ))],
        );
        assert_eq!((maps.len(), maps[0][0].height, maps[0][0].width), (2, 1, 2));
        let close = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(close(maps[0][0].values[0], 0.0) && close(maps[0][0].values[1], 0.2));
        assert!(maps[1][0].values.iter().all(|&value| close(value, 0.0)));
    }
}
