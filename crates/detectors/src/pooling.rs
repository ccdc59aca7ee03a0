//! One vector per image from its feature maps.

use std::ops::Range;

use burn::tensor::Tensor;
use ckaad_backbone::BackboneConfig;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DetectorError, Inputs};

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

/// What a channel is pooled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The mean of all positions.
    Mean,
    /// The largest value.
    Maximum,
    /// The standard deviation of all positions.
    Deviation,
    /// The means of 2 x 2 parts, which tell where something is: for images that are aligned.
    #[serde(rename = "grid-2")]
    Grid2,
    /// The means of 4 x 4 parts.
    #[serde(rename = "grid-4")]
    Grid4,
}

impl Pooling {
    /// Parts along a side, if it takes means.
    pub fn parts(self) -> Option<usize> {
        match self {
            Self::Mean => Some(1),
            Self::Grid2 => Some(2),
            Self::Grid4 => Some(4),
            Self::Maximum | Self::Deviation => None,
        }
    }

    /// How many numbers an image is pooled to.
    pub(crate) fn features(pooling: &[Self], backbone: &BackboneConfig) -> usize {
        let of_channel: usize = pooling.iter().map(|pooling| pooling.numbers()).sum();
        of_channel * backbone.channels().iter().sum::<usize>()
    }

    /// Refuses a list that names none, or one twice.
    pub(crate) fn check(pooling: &[Self]) -> Result<(), DetectorError> {
        let twice = |(index, one)| pooling[..index].contains(one);
        if pooling.is_empty() || pooling.iter().enumerate().any(twice) {
            let reason = "must name at least one pooling, and none twice";
            let value = format!("{pooling:?}");
            return Err(DetectorError::setting("detector.pooling", value, reason));
        }
        Ok(())
    }

    /// Numbers of a channel.
    pub fn numbers(self) -> usize {
        self.parts().map_or(1, |parts| parts * parts)
    }

    fn pool(self, channel: &[f32], sides: [usize; 2], out: &mut Vec<f32>) {
        let mean = |values: &[f32]| mean(values.iter().copied().map(f64::from));
        match self {
            Self::Mean => out.push(mean(channel) as f32),
            Self::Maximum => out.push(channel.iter().copied().fold(f32::MIN, f32::max)),
            Self::Deviation => {
                let centre = mean(channel);
                let squares = channel.iter().map(|&x| (f64::from(x) - centre).powi(2));
                out.push(self::mean(squares).sqrt() as f32);
            }
            Self::Grid2 | Self::Grid4 => {
                for part in parts(self.numbers(), sides) {
                    let values = positions(part, sides[1]).map(|at| f64::from(channel[at]));
                    out.push(self::mean(values) as f32);
                }
            }
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// Rows and columns of a part.
pub type Part = [Range<usize>; 2];

/// The `count` parts (a square number) of a grid, row after row. They overlap by a position where they do not go into it.
pub fn parts(count: usize, sides: [usize; 2]) -> impl Iterator<Item = Part> {
    let along = count.isqrt();
    (0..count).map(move |part| {
        let range =
            |index: usize, side: usize| index * side / along..((index + 1) * side).div_ceil(along);
        [range(part / along, sides[0]), range(part % along, sides[1])]
    })
}

/// The positions of a part, row after row.
pub(crate) fn positions([rows, columns]: Part, width: usize) -> impl Iterator<Item = usize> {
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
}

/// The pooled features of every image of a batch: scale after scale, of each one pooling after the other, of each all channels.
///
/// # Shapes
/// Features `[batch, channels(s), height(s), width(s)]`; `batch` vectors.
pub fn pooled(inputs: &Inputs, poolings: &[Pooling]) -> Vec<Vec<f32>> {
    let scales: Vec<([usize; 4], Vec<f32>)> = inputs
        .tensors()
        .into_iter()
        .map(|scale| (scale.dims(), values(scale)))
        .collect();
    let batch = scales.first().map_or(0, |(dims, _)| dims[0]);
    (0..batch)
        .into_par_iter()
        .map(|image| {
            let mut out = Vec::new();
            for ([_, channels, height, width], values) in &scales {
                let positions = height * width;
                let of_image = &values[image * channels * positions..][..channels * positions];
                for pooling in poolings {
                    for channel in of_image.chunks_exact(positions) {
                        pooling.pool(channel, [*height, *width], &mut out);
                    }
                }
            }
            out
        })
        .collect()
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
            masks: None,
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

    #[test]
    fn poolings_follow_each_other_within_a_scale() {
        let device = ckaad_device::cpu();
        let row: Vec<f32> = (0..9).map(|value| value as f32).collect();
        let fine = Tensor::<1>::from_floats(&row[..], &device).reshape([1, 1, 3, 3]);
        let coarse = Tensor::from_floats([[[[7.0]], [[8.0]]]], &device);
        let inputs = Inputs {
            masks: None,
            images: None,
            features: [fine, coarse].map(FeatureMap::plain).to_vec(),
        };
        let found = pooled(&inputs, &[Pooling::Mean, Pooling::Maximum, Pooling::Grid2]);
        // Parts of 2 x 2 positions that share the middle row and column.
        let fine = [4.0, 8.0, 2.0, 3.0, 5.0, 6.0];
        let coarse = [7.0, 8.0, 7.0, 8.0, 7.0, 7.0, 7.0, 7.0, 8.0, 8.0, 8.0, 8.0];
        assert_eq!(found, [[&fine[..], &coarse[..]].concat()]);
        let deviation = pooled(&inputs, &[Pooling::Deviation]);
        assert!((deviation[0][0] - (60.0_f32 / 9.0).sqrt()).abs() < 1e-6);
        assert_eq!(deviation[0][1..], [0.0, 0.0]);
    }
}
