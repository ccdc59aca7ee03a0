use ckaad_anomaly_map::Align;
use ckaad_detectors::probe::Settings;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::dense::standardised;
use crate::blocks::map::anomaly_map;
use crate::blocks::pooling::{averages, pooled};
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// The log odds of an anomalous image, and what every position adds to them.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let pooled = pooled(graph, inputs.features, &settings.pooling);
    let standard = standardised(graph, weights, pooled)?;
    let factors = weights.constant(graph, "weights")?;
    let terms = graph.mul(standard, factors);
    let sum = graph.sum(terms, &[1]);
    let offset = graph.scalar(weights.number("offset")?);
    let score = graph.add(sum, offset);
    let means = settings
        .pooling
        .iter()
        .any(|pooling| pooling.parts().is_some());
    let map = match means {
        true => {
            let maps = maps(graph, settings, inputs.features, weights)?;
            Some(anomaly_map(graph, &inputs.mapper(Align::Edges), &maps))
        }
        false => None,
    };
    Ok(Scored { score, map })
}

/// Every mean that the rule looks at, spread over the positions that it is taken of.
fn maps(
    graph: &mut Graph,
    settings: &Settings,
    scales: &[Scale],
    weights: &Weights<'_>,
) -> Result<Vec<(Value, [usize; 2])>, ExportError> {
    let [mean, deviation, factors] =
        ["mean", "deviation", "weights"].map(|name| weights.doubles(name));
    let (mean, deviation, factors) = (mean?, deviation?, factors?);
    let share = f64::from(weights.number("offset")?) / scales.len() as f64;
    let mut feature = 0;
    let mut maps = Vec::new();
    for scale in scales {
        let [channels, height, width] = scale.shape;
        let positions = scale.positions();
        let mut field = vec![0.0_f64; channels * positions];
        let mut offset = vec![share; positions];
        for pooling in &settings.pooling {
            let count = pooling.numbers();
            let features = feature..feature + channels * count;
            feature = features.end;
            if pooling.parts().is_none() {
                continue;
            }
            let averages = averages(scale, count);
            for (field, features) in field
                .chunks_exact_mut(positions)
                .zip(features.step_by(count))
            {
                for (position, shares) in averages.chunks_exact(count).enumerate() {
                    for (part, average) in shares.iter().enumerate() {
                        let feature = features + part;
                        let weight = f64::from(*average) * positions as f64 * factors[feature]
                            / deviation[feature];
                        field[position] += weight;
                        offset[position] -= weight * mean[feature];
                    }
                }
            }
        }
        let single = |values: Vec<f64>| -> Vec<f32> {
            values.into_iter().map(|value| value as f32).collect()
        };
        let field = graph.floats(&[channels, height, width], &single(field));
        let offset = graph.floats(&[height, width], &single(offset));
        let products = graph.mul(scale.value, field);
        let sum = graph.sum(products, &[1]);
        maps.push((graph.add(sum, offset), [height, width]));
    }
    Ok(maps)
}
