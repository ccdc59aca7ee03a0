//! One vector per image from its feature maps.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Inputs;

/// The mean and the maximum over positions of every channel of every scale, image after image: first the means of all scales,
/// then the maxima.
///
/// # Shapes
/// Features `[batch, channels(s), height(s), width(s)]`; `batch` vectors of twice the sum of all channels.
pub(crate) fn mean_and_maximum(inputs: &Inputs) -> Vec<Vec<f64>> {
    let scales: Vec<(usize, Vec<f32>)> = inputs
        .tensors()
        .into_iter()
        .map(|scale| {
            let [_, _, height, width] = scale.dims();
            (height * width, values(scale))
        })
        .collect();
    let batch = inputs.features.first().map_or(0, |scale| scale.dims()[0]);
    (0..batch)
        .into_par_iter()
        .map(|image| {
            let channels = || {
                scales.iter().flat_map(move |(positions, values)| {
                    let length = values.len() / batch;
                    values[image * length..][..length].chunks_exact(*positions)
                })
            };
            let mean = |channel: &[f32]| {
                channel.iter().copied().map(f64::from).sum::<f64>() / channel.len() as f64
            };
            let maximum =
                |channel: &[f32]| f64::from(channel.iter().copied().fold(f32::MIN, f32::max));
            channels()
                .map(mean)
                .chain(channels().map(maximum))
                .collect()
        })
        .collect()
}

/// The values of a tensor, row-major.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use ckaad_ops::FeatureMap;

    use super::*;

    #[test]
    fn means_come_before_maxima() {
        let device = ckaad_device::cpu();
        let fine = Tensor::from_floats(
            [[[[1.0, 3.0]], [[0.0, -4.0]]], [[[5.0, 5.0]], [[2.0, 0.0]]]],
            &device,
        );
        let coarse = Tensor::from_floats([[[[7.0]]], [[[8.0]]]], &device);
        let inputs = Inputs {
            images: None,
            features: [fine, coarse].map(FeatureMap::plain).to_vec(),
        };
        assert_eq!(
            mean_and_maximum(&inputs),
            [
                [2.0, -2.0, 7.0, 3.0, 0.0, 7.0],
                [5.0, 1.0, 8.0, 5.0, 2.0, 8.0]
            ]
        );
    }
}
