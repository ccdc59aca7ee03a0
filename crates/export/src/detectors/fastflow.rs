use ckaad_anomaly_map::{Align, ImageScore};
use ckaad_ops::Resize;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::layer::convolution;
use crate::blocks::map::enlarged;
use crate::blocks::score::image_score;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// What the outputs of a step's convolutions are multiplied by.
const GENTLE: f64 = 0.1;
/// The largest logarithm of a channel's scale.
const CLAMP: f32 = 2.0;
/// The beta of the softplus that a channel's scale is of.
const SOFTNESS: f64 = 0.5;
/// Added to the variance of a scale's features.
const EPSILON: f32 = 1e-5;

/// How unlikely invertible networks find the features.
pub(super) fn draw(
    graph: &mut Graph,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let mut maps = Vec::new();
    for (index, scale) in inputs.features.iter().enumerate() {
        let [channels, height, width] = scale.shape;
        let level = weights.at("levels").at(index);
        let mut z = normalised(graph, &level.at("norm"), scale)?;
        let mut step = 0;
        while level.has(&format!("steps.{step}.scale")) {
            z = coupled(graph, &level.at("steps").at(step), z, channels)?;
            let order = weights.values(&format!("order.{index}.{step}"))?;
            let order: Vec<usize> = order.iter().map(|&channel| channel as usize).collect();
            z = graph.select(z, &order, 1);
            step += 1;
        }
        let square = graph.square(z);
        let mean = graph.mean(square, &[1]);
        let exponent = graph.scale(mean, -0.5);
        let likely = graph.exp(exponent);
        maps.push((graph.neg(likely), [height, width]));
    }
    let side = inputs.image_size;
    let sum = enlarged(graph, &maps, [side, side], Align::Edges);
    let map = graph.scale(sum, (maps.len() as f32).recip());
    Ok(Scored {
        score: image_score(graph, ImageScore::Max, map, inputs.pixels()),
        map: Some(map),
    })
}

/// The layer norm over all channels and positions.
fn normalised(
    graph: &mut Graph,
    weights: &Weights<'_>,
    scale: &Scale,
) -> Result<Value, ExportError> {
    let [channels, height, width] = scale.shape;
    let flat = graph.reshape(scale.value, &[0, -1]);
    let mean = graph.mean_keeping(flat, 1);
    let centred = graph.sub(flat, mean);
    let square = graph.square(centred);
    let variance = graph.mean_keeping(square, 1);
    let epsilon = graph.scalar(EPSILON);
    let variance = graph.add(variance, epsilon);
    let deviation = graph.sqrt(variance);
    let normed = graph.div(centred, deviation);
    let gamma = weights.constant(graph, "weight")?;
    let beta = weights.constant(graph, "bias")?;
    let scaled = graph.mul(normed, gamma);
    let shifted = graph.add(scaled, beta);
    Ok(graph.reshape(shifted, &[0, channels as i64, height as i64, width as i64]))
}

/// The affine coupling of half of the channels with the others, then a scale and an offset of every channel.
fn coupled(
    graph: &mut Graph,
    weights: &Weights<'_>,
    x: Value,
    channels: usize,
) -> Result<Value, ExportError> {
    let moved = channels / 2;
    let kept = channels - moved;
    let a = graph.slice(x, 1, 0..kept);
    let b = graph.slice(x, 1, kept..channels);
    let inner = convolution(graph, &weights.at("first"), a, Resize::Keep)?;
    let inner = graph.relu(inner);
    let outputs = convolution(graph, &weights.at("second"), inner, Resize::Keep)?;
    let outputs = graph.scale(outputs, GENTLE as f32);
    let raw = graph.slice(outputs, 1, 0..moved);
    let shift = graph.slice(outputs, 1, moved..2 * moved);
    let bounded = graph.tanh(raw);
    let log_scale = graph.scale(bounded, CLAMP);
    let factor = graph.exp(log_scale);
    let scaled = graph.mul(b, factor);
    let b = graph.add(scaled, shift);
    let joined = graph.concat(&[a, b], 1);
    let softplus = |x: &f64| (GENTLE * ((SOFTNESS * x).exp().ln_1p() / SOFTNESS)) as f32;
    let scale: Vec<f32> = weights.doubles("scale")?.iter().map(softplus).collect();
    let scale = graph.floats(&[1, channels, 1, 1], &scale);
    let offset = graph.floats(&[1, channels, 1, 1], weights.values("offset")?);
    let scaled = graph.mul(joined, scale);
    Ok(graph.add(scaled, offset))
}
