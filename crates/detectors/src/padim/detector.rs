use std::collections::BTreeMap;

use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper, ImageScore};
use ckaad_parameters::{NamedTensor, NamedTensors};
use rayon::prelude::*;

use super::{Gaussians, Settings, embedding};
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

/// What pictures of a map show as everything, in root mean squares of the deviations of normal images.
const DEVIATIONS_SHOWN: f32 = 3.0;
const CHANNELS: &str = "channels";
const MEAN: &str = "mean";
const FACTOR: &str = "factor";

/// The Mahalanobis distance at every position.
pub(super) struct PadimDetector {
    pub(super) channels: Vec<usize>,
    pub(super) gaussians: Gaussians,
    pub(super) image_size: usize,
}

impl PadimDetector {
    pub(super) fn from_parameters(
        settings: Settings,
        setup: &Setup<'_>,
        mut parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let (positions, dimensions) = settings.shape(setup);
        let pairs = settings.covariance.len(dimensions);
        parameters.check(&BTreeMap::from([
            (CHANNELS.to_owned(), vec![dimensions]),
            (MEAN.to_owned(), vec![positions, dimensions]),
            (FACTOR.to_owned(), vec![positions, pairs]),
        ]))?;
        let mut take = |name: &str| parameters.remove(name).map_or(Vec::new(), |it| it.values);
        // A file must not name a channel that is not there.
        let last = setup.backbone.config().channels().iter().sum::<usize>() - 1;
        let channels = take(CHANNELS).into_iter();
        Ok(Self {
            channels: channels
                .map(|channel| (channel as usize).min(last))
                .collect(),
            gaussians: Gaussians {
                covariance: settings.covariance,
                channels: dimensions,
                mean: take(MEAN),
                factor: take(FACTOR),
            },
            image_size: setup.image_size,
        })
    }
}

impl Detector for PadimDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let [_, _, height, width] = inputs.features[0].dims();
        let mapper = AnomalyMapper {
            align: Align::Edges,
            ..AnomalyMapper::new(self.image_size, self.image_size)
        };
        self.gaussians
            .distances(&embedding(inputs, &self.channels))
            .into_par_iter()
            .map(|values| {
                let distances = AnomalyMap {
                    height,
                    width,
                    values,
                };
                let map = mapper.map(&[distances]);
                Scored {
                    score: ImageScore::Max.of(&map),
                    map: Some(map),
                }
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let dimensions = self.channels.len();
        let positions = self.gaussians.mean.len() / dimensions;
        let channels = self.channels.iter().map(|&channel| channel as f32);
        let tensors = [
            (CHANNELS, vec![dimensions], channels.collect()),
            (
                MEAN,
                vec![positions, dimensions],
                self.gaussians.mean.clone(),
            ),
            (
                FACTOR,
                vec![positions, self.gaussians.factor.len() / positions],
                self.gaussians.factor.clone(),
            ),
        ];
        let named = |(name, shape, values): (&str, Vec<usize>, Vec<f32>)| {
            (name.to_owned(), NamedTensor { shape, values })
        };
        tensors.map(named).into_iter().collect()
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, DEVIATIONS_SHOWN * (self.channels.len() as f32).sqrt()]
    }
}
