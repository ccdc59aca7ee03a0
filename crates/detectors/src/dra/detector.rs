use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper};
use ckaad_ops::Precision;
use ckaad_parameters::{NamedTensor, NamedTensors, apply, collect};
use rayon::prelude::*;

use super::Heads;
use super::learner::{Scores, position_scores};
use crate::deviation::MARGIN;
use crate::pooling::values;
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

const HEADS: &str = "heads.";
/// The heads whose position scores are on a map.
const ON_MAP: std::ops::Range<usize> = 1..4;

/// What detectors are built for.
#[derive(Clone)]
pub(super) struct Shape {
    /// `[channels, height, width]` of every scale.
    pub(super) scales: Vec<[usize; 3]>,
    pub(super) image_size: usize,
    precision: Precision,
    pub(super) device: Device,
}

impl Shape {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        Self {
            scales: setup.shapes(),
            image_size: setup.image_size,
            precision: setup.backbone.config().precision,
            device: setup.device.clone(),
        }
    }

    /// Heads for every scale, to be filled.
    pub(super) fn heads(&self, device: &Device) -> Vec<Heads> {
        let heads = |[channels, ..]: &[usize; 3]| Heads::zeros(*channels, self.precision, device);
        self.scales.iter().map(heads).collect()
    }

    /// Names and shapes of a detector's parameters.
    pub(super) fn parameters(&self) -> BTreeMap<String, Vec<usize>> {
        let heads = collect(&self.heads(&self.device)).prefixed(HEADS);
        let heads = heads.iter();
        let heads = heads.map(|(name, tensor)| (name.to_owned(), tensor.shape.clone()));
        let references = self.scales.iter().enumerate();
        let references = references.map(|(scale, shape)| (reference(scale), shape.to_vec()));
        heads.chain(references).collect()
    }
}

fn reference(scale: usize) -> String {
    format!("reference.{scale}")
}

/// What the heads say of images and of their difference from a few normal ones.
#[derive(Clone)]
pub(super) struct DraDetector {
    shape: Shape,
    heads: Vec<Heads>,
    /// `[1, channels, height, width]` of every scale: the mean of normal images.
    references: Vec<Tensor<4>>,
    parameters: NamedTensors,
}

impl DraDetector {
    /// Of heads without gradients.
    pub(super) fn learned(
        shape: &Shape,
        heads: &Vec<Heads>,
        references: Vec<Tensor<4>>,
    ) -> Result<Self, DetectorError> {
        let mut parameters = collect(heads).prefixed(HEADS);
        for (scale, (tensor, shape)) in references.into_iter().zip(&shape.scales).enumerate() {
            let tensor = NamedTensor {
                shape: shape.to_vec(),
                values: values(tensor),
            };
            parameters.insert(reference(scale), tensor);
        }
        Self::from_parameters(shape, parameters)
    }

    pub(super) fn from_parameters(
        shape: &Shape,
        parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        parameters.check(&shape.parameters())?;
        let of_heads = parameters.clone().take_prefixed(HEADS);
        let references = shape.scales.iter().enumerate();
        let references = references.map(|(scale, &[channels, height, width])| {
            let stored = parameters.get(&reference(scale));
            let values = stored.map_or(Vec::new(), |tensor| tensor.values.clone());
            let data = TensorData::new(values, [1, channels, height, width]);
            Tensor::from_data(data, &shape.device)
        });
        Ok(Self {
            heads: apply(shape.heads(&shape.device), &of_heads)?,
            references: references.collect(),
            shape: shape.clone(),
            parameters,
        })
    }
}

impl Detector for DraDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let all: Vec<usize> = (0..self.heads.len()).collect();
        let positions = position_scores(&self.heads, &all, &inputs.tensors(), &self.references);
        let scores = Scores::of(&positions);
        let size = self.shape.image_size;
        let mapper = AnomalyMapper {
            align: Align::Edges,
            ..AnomalyMapper::new(size, size)
        };
        let images = inputs.features.first().map_or(0, |scale| scale.dims()[0]);
        (0..images)
            .into_par_iter()
            .map(|image| {
                let share = (scores.0.len() as f64).recip();
                let scales = scores.0.iter().zip(&self.shape.scales);
                let maps = scales.map(|(heads, &[_, height, width])| {
                    let mut values = vec![0.0; height * width];
                    for scores in &heads[ON_MAP] {
                        for (value, score) in values.iter_mut().zip(&scores[image]) {
                            *value += (share * score.abs()) as f32;
                        }
                    }
                    AnomalyMap {
                        height,
                        width,
                        values,
                    }
                });
                Scored {
                    score: scores.image(image),
                    map: Some(mapper.map(&maps.collect::<Vec<_>>())),
                }
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        self.parameters.clone()
    }

    /// Up to where the three heads together should score anomalous images.
    fn map_range(&self) -> [f32; 2] {
        [0.0, (ON_MAP.len() as f64 * MARGIN) as f32]
    }
}
