use std::collections::BTreeMap;

use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper};
use ckaad_parameters::{NamedTensor, NamedTensors};
use rayon::prelude::*;

use super::Head;
use crate::deviation::{MARGIN, image_score};
use crate::pooling::values;
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

/// How far the scores of positions are from zero.
#[derive(Clone)]
pub(super) struct DevNetDetector {
    heads: Vec<Head>,
    parameters: NamedTensors,
    mapper: AnomalyMapper,
}

fn names(scale: usize) -> [String; 2] {
    ["weight", "bias"].map(|name| format!("{name}.{scale}"))
}

/// Names and shapes of the parameters for scales of those shapes.
pub(super) fn shapes(scales: &[[usize; 3]]) -> BTreeMap<String, Vec<usize>> {
    let scales = scales.iter().enumerate();
    let of_scale = |(scale, [channels, ..]): (usize, &[usize; 3])| {
        names(scale).into_iter().zip([vec![*channels], vec![1]])
    };
    scales.flat_map(of_scale).collect()
}

impl DevNetDetector {
    /// Of what was learned, as it would be loaded: in single precision.
    pub(super) fn learned(heads: &[Head], image_size: usize) -> Self {
        let mut parameters = NamedTensors::new();
        for (scale, head) in heads.iter().enumerate() {
            let [weight, bias] = names(scale);
            for (name, values) in [(weight, &head.weights[..]), (bias, &[head.bias])] {
                let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
                let shape = vec![values.len()];
                parameters.insert(name, NamedTensor { shape, values });
            }
        }
        Self::of(parameters, heads.len(), image_size)
    }

    pub(super) fn from_parameters(
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let scales = setup.shapes();
        parameters.check(&shapes(&scales))?;
        Ok(Self::of(parameters, scales.len(), setup.image_size))
    }

    /// From parameters of the right [`shapes`].
    pub(super) fn of(parameters: NamedTensors, scales: usize, image_size: usize) -> Self {
        let double = |name: &str| -> Vec<f64> {
            let values = parameters
                .get(name)
                .map_or(&[][..], |tensor| &tensor.values);
            values.iter().copied().map(f64::from).collect()
        };
        let head = |scale: usize| {
            let [weights, bias] = names(scale).map(|name| double(&name));
            Head {
                weights,
                bias: bias.first().copied().unwrap_or_default(),
            }
        };
        Self {
            heads: (0..scales).map(head).collect(),
            parameters,
            mapper: AnomalyMapper {
                align: Align::Edges,
                ..AnomalyMapper::new(image_size, image_size)
            },
        }
    }
}

impl Detector for DevNetDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let scales: Vec<([usize; 4], Vec<f32>)> = inputs
            .tensors()
            .into_iter()
            .map(|scale| (scale.dims(), values(scale)))
            .collect();
        let images = scales.first().map_or(0, |(dims, _)| dims[0]);
        (0..images)
            .into_par_iter()
            .map(|image| {
                let of_scale = |((dims, values), head): (&([usize; 4], Vec<f32>), &Head)| {
                    let length = dims[1..].iter().product::<usize>();
                    head.scores(&values[image * length..][..length])
                };
                let scores: Vec<Vec<f64>> = scales.iter().zip(&self.heads).map(of_scale).collect();
                let share = 1.0 / scores.len() as f64;
                let maps: Vec<AnomalyMap> = scales
                    .iter()
                    .zip(&scores)
                    .map(|(([_, _, height, width], _), scores)| AnomalyMap {
                        height: *height,
                        width: *width,
                        values: scores
                            .iter()
                            .map(|score| (share * score.abs()) as f32)
                            .collect(),
                    })
                    .collect();
                Scored {
                    score: image_score(&scores),
                    map: Some(self.mapper.map(&maps)),
                }
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        self.parameters.clone()
    }

    /// Up to where anomalous images should score.
    fn map_range(&self) -> [f32; 2] {
        [0.0, MARGIN as f32]
    }
}
