use std::collections::BTreeMap;

use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper};
use ckaad_parameters::{NamedTensor, NamedTensors};
use rayon::prelude::*;

use super::{Form, Memory, Settings};
use crate::pooling::values;
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

const ITEMS: &str = "items";
const RADIUS: &str = "radius";
/// What pictures of a map show as everything, in radii: no patch of a training image is farther than one.
const RADII_SHOWN: f32 = 2.0;

/// The distance of patches from those that are remembered.
pub(super) struct PatchCoreDetector {
    settings: Settings,
    memory: Memory,
    /// How far patches of training images are from the memory at most, as the projection sees it.
    radius: f32,
    mapper: AnomalyMapper,
}

impl PatchCoreDetector {
    pub(super) fn new(settings: Settings, image_size: usize, memory: Memory, radius: f32) -> Self {
        Self {
            settings,
            memory,
            radius,
            mapper: AnomalyMapper {
                align: Align::Edges,
                ..AnomalyMapper::new(image_size, image_size)
            },
        }
    }

    pub(super) fn from_parameters(
        settings: Settings,
        setup: &Setup<'_>,
        mut parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let channels = settings.form.channels(setup.backbone.config());
        // How many are remembered, only the model knows.
        let items = parameters.get(ITEMS);
        let count = items.and_then(|items| items.shape.first()).copied();
        let expected = [
            (ITEMS.to_owned(), vec![count.unwrap_or(1).max(1), channels]),
            (RADIUS.to_owned(), vec![1]),
        ];
        parameters.check(&BTreeMap::from(expected))?;
        let mut take = |name: &str| parameters.remove(name).map_or(Vec::new(), |it| it.values);
        let radius = take(RADIUS).first().copied().unwrap_or_default();
        let memory = Memory::new(take(ITEMS), channels);
        Ok(Self::new(settings, setup.image_size, memory, radius))
    }

    fn score_image(&self, scales: &[&[f32]], shapes: &[[usize; 3]]) -> Scored {
        let patches = self.settings.form.patches(scales, shapes);
        let nearest = self.memory.nearest(&patches);
        let [_, height, width] = shapes[0];
        let farthest = (0..nearest.len()).max_by(|&a, &b| {
            let distance = |patch: usize| nearest[patch].distance;
            distance(a).total_cmp(&distance(b))
        });
        let score = |patch: usize| match self.settings.form {
            Form::Means => {
                let channels = patches[patch..].iter().step_by(height * width);
                let values: Vec<f32> = channels.copied().collect();
                let (nearest, neighbours) = (nearest[patch], self.settings.neighbours);
                self.memory.reweighted(&values, nearest, neighbours)
            }
            Form::Neighbourhoods => f64::from(nearest[patch].distance).powi(2),
        };
        let distances = nearest.iter().map(|nearest| nearest.distance);
        let distances = AnomalyMap {
            height,
            width,
            values: match self.settings.form {
                Form::Means => distances.collect(),
                Form::Neighbourhoods => distances.map(|distance| distance * distance).collect(),
            },
        };
        Scored {
            score: farthest.map_or(0.0, score),
            map: Some(self.mapper.map(&[distances])),
        }
    }
}

impl Detector for PatchCoreDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let features: Vec<([usize; 4], Vec<f32>)> = inputs
            .tensors()
            .into_iter()
            .map(|scale| (scale.dims(), values(scale)))
            .collect();
        let shapes: Vec<[usize; 3]> = features
            .iter()
            .map(|&([_, channels, height, width], _)| [channels, height, width])
            .collect();
        let images = features.first().map_or(0, |(dims, _)| dims[0]);
        (0..images)
            .into_par_iter()
            .map(|image| {
                let scales: Vec<&[f32]> = features
                    .iter()
                    .map(|(_, values)| {
                        let length = values.len() / images;
                        &values[image * length..][..length]
                    })
                    .collect();
                self.score_image(&scales, &shapes)
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let shape = vec![self.memory.len(), self.memory.item(0).len()];
        let values = self.memory.items().to_vec();
        let mut parameters = NamedTensors::new();
        parameters.insert(ITEMS, NamedTensor { shape, values });
        let radius = NamedTensor {
            shape: vec![1],
            values: vec![self.radius],
        };
        parameters.insert(RADIUS, radius);
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        let shown = RADII_SHOWN * self.radius;
        match self.settings.form {
            Form::Means => [0.0, shown],
            Form::Neighbourhoods => [0.0, shown * shown],
        }
    }
}
