use ckaad_anomaly_map::Align;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::dense::product;
use crate::blocks::distance::norm;
use crate::blocks::map::anomaly_map;
use crate::blocks::pooling::{maxima, means};
use crate::blocks::triangular::inverse;
use crate::graph::Graph;
use crate::weights::Weights;

/// The Mahalanobis distance of pooled features, and a map of root mean squares of deviations.
pub(super) fn draw(
    graph: &mut Graph,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let mut pooled = Vec::new();
    for pool in [means, maxima] {
        for scale in inputs.features {
            pooled.push(pool(graph, scale));
        }
    }
    let pooled = graph.concat(&pooled, 1);
    let mean = weights.constant(graph, "mean")?;
    let centred = graph.sub(pooled, mean);
    let dimensions = weights.get("mean")?.values.len();
    let inverse = inverse(&weights.doubles("lower")?, dimensions);
    let solved = product(graph, centred, &inverse, dimensions);
    let score = norm(graph, solved);

    let mut maps = Vec::new();
    let share = (inputs.features.len() as f32).recip();
    for (index, scale) in inputs.features.iter().enumerate() {
        let [_, height, width] = scale.shape;
        let mean = weights.constant(graph, &format!("position_mean.{index}"))?;
        let deviation = weights.constant(graph, &format!("position_deviation.{index}"))?;
        let centred = graph.sub(scale.value, mean);
        let deviations = graph.div(centred, deviation);
        let square = graph.square(deviations);
        let square = graph.mean(square, &[1]);
        let root = graph.sqrt(square);
        maps.push((graph.scale(root, share), [height, width]));
    }
    Ok(Scored {
        score,
        map: Some(anomaly_map(graph, &inputs.mapper(Align::Corners), &maps)),
    })
}
