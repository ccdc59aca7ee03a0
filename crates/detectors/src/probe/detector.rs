use std::collections::BTreeMap;

use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper};
use ckaad_parameters::{NamedTensor, NamedTensors};
use rayon::prelude::*;

use super::Settings;
use crate::pooling::{Pooling, parts, pooled, positions, values};
use crate::samples::Standard;
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

/// What pictures of a map show as everything: log odds that a picture of nothing else would have.
const LOG_ODDS_SHOWN: f32 = 8.0;
const NAMES: [&str; 4] = ["mean", "deviation", "weights", "offset"];

/// The log odds of an anomalous image: `weights (x - mean) / deviation + offset`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) standard: Standard,
    pub(super) weights: Vec<f32>,
    pub(super) offset: f32,
}

/// A rule on pooled features.
pub(super) struct ProbeDetector {
    pooling: Vec<Pooling>,
    rule: Rule,
    /// What positions add, scale by scale; none if the rule looks at no means.
    fields: Vec<Field>,
    mapper: AnomalyMapper,
}

/// What a position of a scale adds to the log odds: `weights x + offset`.
struct Field {
    /// `[channels, positions]`.
    weights: Vec<f32>,
    /// `[positions]`.
    offset: Vec<f32>,
}

impl ProbeDetector {
    /// `shapes` are those of the scales.
    pub(super) fn new(
        settings: &Settings,
        shapes: &[[usize; 3]],
        image_size: usize,
        rule: Rule,
    ) -> Self {
        let means = settings
            .pooling
            .iter()
            .any(|pooling| pooling.parts().is_some());
        Self {
            pooling: settings.pooling.clone(),
            fields: if means {
                fields(settings, shapes, &rule)
            } else {
                Vec::new()
            },
            rule,
            mapper: AnomalyMapper {
                align: Align::Edges,
                ..AnomalyMapper::new(image_size, image_size)
            },
        }
    }

    pub(super) fn from_parameters(
        settings: &Settings,
        setup: &Setup<'_>,
        mut parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let features = Pooling::features(&settings.pooling, setup.backbone.config());
        let lengths = [features, features, features, 1];
        let expected: BTreeMap<String, Vec<usize>> = NAMES
            .into_iter()
            .zip(lengths)
            .map(|(name, length)| (name.to_owned(), vec![length]))
            .collect();
        parameters.check(&expected)?;
        let [mean, deviation, weights, offset] =
            NAMES.map(|name| parameters.remove(name).map_or(Vec::new(), |it| it.values));
        let rule = Rule {
            standard: Standard { mean, deviation },
            weights,
            offset: offset.first().copied().unwrap_or_default(),
        };
        Ok(Self::new(settings, &setup.shapes(), setup.image_size, rule))
    }

    fn score_of(&self, pooled: &[f32]) -> f64 {
        let Standard { mean, deviation } = &self.rule.standard;
        let Rule {
            weights, offset, ..
        } = &self.rule;
        let terms = pooled.iter().zip(mean).zip(deviation).zip(weights);
        let sum: f64 = terms
            .map(|(((x, mean), deviation), weight)| {
                f64::from(x - mean) / f64::from(*deviation) * f64::from(*weight)
            })
            .sum();
        sum + f64::from(*offset)
    }
}

/// Every mean that the rule looks at, spread over the positions that it is taken of.
fn fields(settings: &Settings, shapes: &[[usize; 3]], rule: &Rule) -> Vec<Field> {
    let mut feature = 0;
    let mut of_scale = |&[channels, height, width]: &[usize; 3]| {
        let all = height * width;
        let mut field = Field {
            weights: vec![0.0; channels * all],
            offset: vec![rule.offset / shapes.len() as f32; all],
        };
        for pooling in &settings.pooling {
            if pooling.parts().is_none() {
                feature += channels * pooling.numbers();
                continue;
            }
            for channel in field.weights.chunks_exact_mut(all) {
                for part in parts(pooling.numbers(), [height, width]) {
                    let share =
                        all as f32 / part.iter().map(|side| side.len()).product::<usize>() as f32;
                    let weight = share * rule.weights[feature] / rule.standard.deviation[feature];
                    for position in positions(part, width) {
                        channel[position] += weight;
                        field.offset[position] -= weight * rule.standard.mean[feature];
                    }
                    feature += 1;
                }
            }
        }
        field
    };
    shapes.iter().map(&mut of_scale).collect()
}

impl Field {
    /// What every position of an image adds: `[positions]`.
    fn of(&self, image: &[f32]) -> Vec<f32> {
        let mut sums = self.offset.clone();
        let channels = image.chunks_exact(sums.len());
        for (values, weights) in channels.zip(self.weights.chunks_exact(sums.len())) {
            for ((sum, value), weight) in sums.iter_mut().zip(values).zip(weights) {
                *sum += value * weight;
            }
        }
        sums
    }
}

impl Detector for ProbeDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let pooled = pooled(inputs, &self.pooling);
        let scales: Vec<([usize; 4], Vec<f32>)> = match self.fields.is_empty() {
            true => Vec::new(),
            false => inputs
                .tensors()
                .into_iter()
                .map(|scale| (scale.dims(), values(scale)))
                .collect(),
        };
        pooled
            .into_par_iter()
            .enumerate()
            .map(|(image, pooled)| {
                let adds: Vec<AnomalyMap> = scales
                    .iter()
                    .zip(&self.fields)
                    .map(|(([_, channels, height, width], values), field)| {
                        let length = channels * height * width;
                        AnomalyMap {
                            height: *height,
                            width: *width,
                            values: field.of(&values[image * length..][..length]),
                        }
                    })
                    .collect();
                Scored {
                    score: self.score_of(&pooled),
                    map: (!adds.is_empty()).then(|| self.mapper.map(&adds)),
                }
            })
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let rule = self.rule.clone();
        let Standard { mean, deviation } = rule.standard;
        let values = [mean, deviation, rule.weights, vec![rule.offset]];
        let named = NAMES.into_iter().zip(values).map(|(name, values)| {
            let shape = vec![values.len()];
            (name.to_owned(), NamedTensor { shape, values })
        });
        named.collect()
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, LOG_ODDS_SHOWN]
    }
}
