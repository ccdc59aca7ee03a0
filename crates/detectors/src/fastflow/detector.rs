use burn::tensor::Device;
use ckaad_anomaly_map::{Align, AnomalyMap, ImageScore, upsample};
use ckaad_parameters::{NamedTensors, collect};
use rayon::prelude::*;

use super::flow::order_name;
use super::{Flow, FlowConfig, Image};
use crate::permutation::{load, to_parameter};
use crate::pooling::values;
use crate::{Detector, DetectorError, Inputs, Scored};

/// How unlikely a flow finds features.
pub struct FastFlowDetector {
    flow: Flow,
    image_size: usize,
}

impl FastFlowDetector {
    /// Of a flow that tracks no gradients. Maps have the images' size.
    pub fn new(flow: Flow, image_size: usize) -> Self {
        Self { flow, image_size }
    }

    pub(super) fn from_parameters(
        config: &FlowConfig,
        image_size: usize,
        parameters: NamedTensors,
        device: &Device,
    ) -> Result<Self, DetectorError> {
        let flow = load(parameters, |order| {
            let order = |level, step, channels| order(&order_name(level, step), channels);
            config.zeros(order, device)
        })?;
        Ok(Self::new(flow, image_size))
    }

    /// The mean of the scales' maps of image `index`.
    fn map(&self, scales: &[([usize; 3], Vec<f32>)], index: usize) -> AnomalyMap {
        let size = self.image_size;
        let mut sum = vec![0.0; size * size];
        for ([_, height, width], values) in scales {
            let length = height * width;
            let values = &values[index * length..][..length];
            upsample(
                values,
                [*height, *width],
                &mut sum,
                [size, size],
                Align::Edges,
            );
        }
        for value in &mut sum {
            *value /= scales.len() as f32;
        }
        AnomalyMap {
            height: size,
            width: size,
            values: sum,
        }
    }
}

impl Detector for FastFlowDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let images = self.flow.forward(&inputs.tensors());
        let scales = images.iter().map(Image::unlikely);
        let scales: Vec<_> = scales.map(|scale| (scale.dims(), values(scale))).collect();
        let batch = scales.first().map_or(0, |(dims, _)| dims[0]);
        let maps = (0..batch)
            .into_par_iter()
            .map(|index| self.map(&scales, index));
        maps.map(|map| Scored {
            score: ImageScore::Max.of(&map),
            map: Some(map),
        })
        .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let mut parameters = collect(&self.flow);
        for (name, order) in self.flow.orders() {
            parameters.insert(name, to_parameter(order));
        }
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        [-1.0, 0.0]
    }
}
