use ckaad_anomaly_map::Align;
use ckaad_ops::Resize;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::layer::{convolution, folded};
use crate::blocks::map::anomaly_map;
use crate::blocks::score::{mean_of, top_tenth};
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// What the heads say of images and of their difference from a few normal ones.
pub(super) fn draw(
    graph: &mut Graph,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let share = (inputs.features.len() as f32).recip();
    let mut of_heads: [Vec<Value>; 4] = Default::default();
    let mut maps = Vec::new();
    for (index, scale) in inputs.features.iter().enumerate() {
        let [channels, height, width] = scale.shape;
        let reference = weights.get(&format!("reference.{index}"))?;
        let reference = graph.floats(&[1, channels, height, width], &reference.values);
        let heads = weights.at("heads").at(index);
        let [holistic, on_map @ ..] = sizes(graph, &heads, scale, reference)?;
        of_heads[0].push(graph.reshape(holistic, &[-1]));
        let mut sum = None;
        for (scores, sizes) in of_heads[1..].iter_mut().zip(on_map) {
            let flat = graph.reshape(sizes, &[0, -1]);
            scores.push(top_tenth(graph, flat, scale.positions()));
            sum = Some(match sum {
                Some(sum) => graph.add(sum, sizes),
                None => sizes,
            });
        }
        let sum = sum.unwrap_or(holistic);
        let map = graph.scale(sum, share);
        maps.push((graph.squeeze(map, 1), [height, width]));
    }
    let [holistic, seen, pseudo, residual] = of_heads.map(|scores| mean_of(graph, &scores));
    let sum = graph.add(seen, pseudo);
    let sum = graph.add(sum, residual);
    Ok(Scored {
        score: graph.sub(sum, holistic),
        map: Some(anomaly_map(graph, &inputs.mapper(Align::Edges), &maps)),
    })
}

/// How far the scores of a scale are from zero: of the holistic head `[N, 1, 1, 1]`, of the others, seen, pseudo and residual,
/// `[N, 1, height, width]`.
fn sizes(
    graph: &mut Graph,
    heads: &Weights<'_>,
    scale: &Scale,
    reference: Value,
) -> Result<[Value; 4], ExportError> {
    let mean = graph.mean(scale.value, &[2, 3]);
    let mean = graph.reshape(mean, &[0, scale.shape[0] as i64, 1, 1]);
    let hidden = convolution(graph, &heads.at("hidden"), mean, Resize::Keep)?;
    let hidden = graph.relu(hidden);
    let holistic = convolution(graph, &heads.at("holistic"), hidden, Resize::Keep)?;
    let seen = convolution(graph, &heads.at("seen"), scale.value, Resize::Keep)?;
    let pseudo = convolution(graph, &heads.at("pseudo"), scale.value, Resize::Keep)?;
    let difference = graph.sub(reference, scale.value);
    let (conv, norm) = (heads.at("residual"), heads.at("norm"));
    let normed = folded(graph, &conv, &norm, difference, Resize::Keep)?;
    let normed = graph.relu(normed);
    let residual = convolution(graph, &heads.at("score"), normed, Resize::Keep)?;
    Ok([holistic, seen, pseudo, residual].map(|scores| graph.abs(scores)))
}
