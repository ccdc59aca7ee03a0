use ckaad_anomaly_map::Align;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::map::anomaly_map;
use crate::blocks::score::{mean_of, top_tenth};
use crate::graph::Graph;
use crate::weights::Weights;

/// How far the scores of positions are from zero.
pub(super) fn draw(
    graph: &mut Graph,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let share = (inputs.features.len() as f32).recip();
    let (mut scores, mut maps) = (Vec::new(), Vec::new());
    for (index, scale) in inputs.features.iter().enumerate() {
        let [channels, height, width] = scale.shape;
        let weight = weights.values(&format!("weight.{index}"))?;
        let weight = graph.floats(&[1, channels, 1, 1], weight);
        let bias = weights.constant(graph, &format!("bias.{index}"))?;
        let positions = graph.conv(&[scale.value, weight, bias], 1, 1);
        let sizes = graph.abs(positions);
        let flat = graph.reshape(sizes, &[0, -1]);
        scores.push(top_tenth(graph, flat, scale.positions()));
        let map = graph.scale(sizes, share);
        maps.push((graph.squeeze(map, 1), [height, width]));
    }
    Ok(Scored {
        score: mean_of(graph, &scores),
        map: Some(anomaly_map(graph, &inputs.mapper(Align::Edges), &maps)),
    })
}
