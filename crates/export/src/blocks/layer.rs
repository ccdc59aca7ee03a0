//! A convolution and what is behind it: an offset, an instance norm, or a batch norm.

use ckaad_ops::Resize;

use crate::ExportError;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// The networks' epsilon.
const EPSILON: f64 = 1e-5;

/// What an instance norm without parameters scales and shifts by.
fn plain(graph: &mut Graph, channels: usize) -> [Value; 2] {
    [("ones", 1.0), ("zeros", 0.0)].map(|(name, value)| {
        graph.named(&format!("{name}_{channels}"), || {
            (vec![channels], vec![value; channels])
        })
    })
}

/// The convolution of `weight` and, if it is there, `bias`.
pub(crate) fn convolution(
    graph: &mut Graph,
    weights: &Weights<'_>,
    x: Value,
    resize: Resize,
) -> Result<Value, ExportError> {
    let mut inputs = vec![x, weights.constant(graph, "weight")?];
    if weights.has("bias") {
        inputs.push(weights.constant(graph, "bias")?);
    }
    run(graph, weights, &inputs, resize)
}

/// The convolution `conv` without offset, and the norm `norm`: an instance norm, or a batch norm, which is folded into the convolution.
pub(crate) fn normed_convolution(
    graph: &mut Graph,
    weights: &Weights<'_>,
    x: Value,
    resize: Resize,
) -> Result<Value, ExportError> {
    let (conv, norm) = (weights.at("conv"), weights.at("norm"));
    if norm.has("running_mean") {
        return folded(graph, &conv, &norm, x, resize);
    }
    let x = convolution(graph, &conv, x, resize)?;
    let [scale, shift] = if norm.has("weight") {
        [
            norm.constant(graph, "weight")?,
            norm.constant(graph, "bias")?,
        ]
    } else {
        let channels = conv.get("weight")?.shape[0];
        plain(graph, channels)
    };
    Ok(graph.instance_norm(x, scale, shift, EPSILON))
}

/// A convolution that does what it and the batch norm behind it do.
pub(crate) fn folded(
    graph: &mut Graph,
    conv: &Weights<'_>,
    norm: &Weights<'_>,
    x: Value,
    resize: Resize,
) -> Result<Value, ExportError> {
    let names = ["weight", "bias", "running_mean", "running_var"];
    let [Ok(gamma), Ok(beta), Ok(mean), Ok(variance)] = names.map(|name| norm.doubles(name)) else {
        return Err(norm.wrong("weight"));
    };
    let scales: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(gamma, variance)| gamma / (variance + EPSILON).sqrt())
        .collect();
    let kernel = conv.get("weight")?;
    // Outputs are the first axis of a convolution's kernel, and the second of a transposed one's.
    let [first, second, ..] = kernel.shape[..] else {
        return Err(conv.wrong("weight"));
    };
    let per_second = kernel.values.len() / (first * second).max(1);
    let output = |index: usize| match resize {
        Resize::Double => index / per_second % second,
        Resize::Keep | Resize::Halve => index / (per_second * second),
    };
    let scaled = kernel.values.iter().enumerate();
    let scaled = scaled.map(|(index, &w)| (f64::from(w) * scales[output(index)]) as f32);
    let before = match conv.has("bias") {
        true => conv.doubles("bias")?,
        false => vec![0.0; beta.len()],
    };
    let offset = (0..beta.len())
        .map(|channel| (beta[channel] + (before[channel] - mean[channel]) * scales[channel]) as f32)
        .collect();
    let weight = graph.named(&conv.constant_name("folded_weight"), || {
        (kernel.shape.clone(), scaled.collect())
    });
    let bias = graph.named(&conv.constant_name("folded_bias"), || {
        (vec![beta.len()], offset)
    });
    run(graph, conv, &[x, weight, bias], resize)
}

fn run(
    graph: &mut Graph,
    weights: &Weights<'_>,
    inputs: &[Value],
    resize: Resize,
) -> Result<Value, ExportError> {
    let [_, _, kernel, _] = weights.get("weight")?.shape[..] else {
        return Err(weights.wrong("weight"));
    };
    Ok(match resize {
        Resize::Double => graph.conv_transpose(inputs),
        Resize::Halve => graph.conv(inputs, kernel, 2),
        Resize::Keep => graph.conv(inputs, kernel, 1),
    })
}
