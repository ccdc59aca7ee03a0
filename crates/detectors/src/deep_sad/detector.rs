use std::collections::BTreeMap;

use ckaad_parameters::{NamedTensor, NamedTensors};

use super::learner::squared_distance;
use super::{Encoder, Learner, Settings};
use crate::pooling::{Pooling, pooled};
use crate::samples::Standard;
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

const NORM: [&str; 2] = ["norm_mean", "norm_variance"];

/// Distances from a centre.
#[derive(Clone)]
pub(super) struct DeepSadDetector {
    parameters: NamedTensors,
    pooling: Vec<Pooling>,
    standard: Standard,
    encoder: Encoder,
    centre: Vec<f64>,
}

/// Names and shapes of the parameters of a network of those widths.
pub(super) fn shapes(widths: &[usize]) -> BTreeMap<String, Vec<usize>> {
    let [features, .., last] = widths else {
        return BTreeMap::new();
    };
    let mut shapes = BTreeMap::from([
        ("mean".to_owned(), vec![*features]),
        ("deviation".to_owned(), vec![*features]),
        ("centre".to_owned(), vec![*last]),
    ]);
    for (layer, pair) in widths.windows(2).enumerate() {
        shapes.insert(format!("weight.{layer}"), vec![pair[1], pair[0]]);
        if layer + 2 < widths.len() {
            for name in NORM {
                shapes.insert(format!("{name}.{layer}"), vec![pair[1]]);
            }
        }
    }
    shapes
}

impl DeepSadDetector {
    pub(super) fn from_parameters(
        settings: &Settings,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let widths = settings.widths(setup.backbone.config());
        parameters.check(&shapes(&widths))?;
        Ok(Self::of(settings, widths, parameters))
    }

    /// From parameters of the right [`shapes`].
    pub(super) fn of(settings: &Settings, widths: Vec<usize>, parameters: NamedTensors) -> Self {
        let single = |name: &str| parameters.get(name).map_or(&[][..], |it| &it.values);
        let double = |name: &str| single(name).iter().copied().map(f64::from).collect();
        let layers = widths.len() - 1;
        Self {
            pooling: settings.pooling.clone(),
            standard: Standard {
                mean: single("mean").to_vec(),
                deviation: single("deviation").to_vec(),
            },
            centre: double("centre"),
            encoder: Encoder {
                weights: (0..layers)
                    .map(|layer| double(&format!("weight.{layer}")))
                    .collect(),
                statistics: (0..layers - 1)
                    .map(|layer| NORM.map(|name| double(&format!("{name}.{layer}"))))
                    .collect(),
                widths,
            },
            parameters,
        }
    }

    /// What was learned from samples that were shifted and scaled so.
    pub(super) fn learned(settings: &Settings, standard: Standard, learner: Learner) -> Self {
        let Learner {
            encoder, centre, ..
        } = learner;
        let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
        let mut values = BTreeMap::from([
            ("mean".to_owned(), standard.mean),
            ("deviation".to_owned(), standard.deviation),
            ("centre".to_owned(), single(centre)),
        ]);
        for (layer, weights) in encoder.weights.into_iter().enumerate() {
            values.insert(format!("weight.{layer}"), single(weights));
        }
        for (layer, statistics) in encoder.statistics.into_iter().enumerate() {
            for (name, statistic) in NORM.into_iter().zip(statistics) {
                values.insert(format!("{name}.{layer}"), single(statistic));
            }
        }
        let named = shapes(&encoder.widths).into_iter().map(|(name, shape)| {
            let values = values.remove(&name).unwrap_or_default();
            (name, NamedTensor { shape, values })
        });
        let parameters = named.collect();
        // As it would be loaded: in single precision.
        Self::of(settings, encoder.widths, parameters)
    }
}

impl Detector for DeepSadDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let mut samples = pooled(inputs, &self.pooling);
        for sample in &mut samples {
            self.standard.apply(sample);
        }
        let samples: Vec<f64> = samples.iter().flatten().copied().map(f64::from).collect();
        let points = self.encoder.forward(&samples);
        let scored = points.chunks_exact(self.centre.len()).map(|point| Scored {
            score: squared_distance(point, &self.centre),
            map: None,
        });
        scored.collect()
    }

    fn parameters(&self) -> NamedTensors {
        self.parameters.clone()
    }

    /// It has no maps.
    fn map_range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }
}
