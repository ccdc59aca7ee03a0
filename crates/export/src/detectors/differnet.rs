use ckaad_data::{MEAN, STD};
use ckaad_detectors::differnet::{Settings, sources};

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::backbone::backbone;
use crate::blocks::layer::convolution;
use crate::blocks::pooling::means;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// Logarithms of scales are `0.636 CLAMP atan(s / CLAMP)`.
const CLAMP: f32 = 3.0;
/// About `2 / π`, as the authors write it.
const TO_ONE: f32 = 0.636;
/// No number becomes larger.
const LARGEST: f32 = 1e6;
/// Linear layers of a subnet.
const LAYERS: usize = 4;

/// How unlikely a flow finds images, turned all around: the backbone runs on all views of an image at once.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let views = settings.test_views;
    let turned = turned(graph, inputs, views);
    let scales = backbone(
        graph,
        inputs.backbone,
        inputs.image_size,
        &inputs.weights,
        convolution,
        turned,
    )?;
    let mut vectors = Vec::new();
    for scale in &scales {
        vectors.push(means(graph, scale));
    }
    let mut z = graph.concat(&vectors, 1);
    let width: usize = scales.iter().map(|scale| scale.shape[0]).sum();
    let mut block = 0;
    while weights.has(&format!("order.{block}")) {
        let order = weights.values(&format!("order.{block}"))?;
        let order: Vec<usize> = order.iter().map(|&number| number as usize).collect();
        let permuted = graph.select(z, &order, 1);
        z = coupled(graph, &weights.at("blocks").at(block), permuted, width)?;
        block += 1;
    }
    let square = graph.square(z);
    let distances = graph.mean(square, &[1]);
    let of_views = graph.reshape(distances, &[-1, views as i64]);
    Ok(Scored {
        score: graph.mean(of_views, &[1]),
        map: None,
    })
}

/// All views of all images, image after image: `[N views, 3, side, side]`.
fn turned(graph: &mut Graph, inputs: &Inputs<'_>, views: usize) -> Value {
    let side = inputs.image_size;
    let pixels = side * side;
    let (mut places, mut inside) = (Vec::new(), Vec::new());
    for view in 0..views {
        let angle = 360.0 * view as f64 / views as f64;
        for source in sources([side, side], angle) {
            places.push(source.unwrap_or(0));
            inside.push(f32::from(u8::from(source.is_some())));
        }
    }
    let planes = graph.reshape(inputs.images, &[0, 3, pixels as i64]);
    let planes = graph.select(planes, &places, 2);
    let images = graph.reshape(planes, &[0, 3, views as i64, pixels as i64]);
    let images = graph.transpose(images, &[0, 2, 1, 3]);
    // Black comes from outside the image.
    let black: Vec<f32> = MEAN
        .iter()
        .zip(&STD)
        .map(|(mean, std)| -mean / std)
        .collect();
    let black = graph.floats(&[1, 1, 3, 1], &black);
    let outside: Vec<f32> = inside.iter().map(|inside| 1.0 - inside).collect();
    let [inside, outside] =
        [inside, outside].map(|mask| graph.floats(&[1, views, 1, pixels], &mask));
    let seen = graph.mul(images, inside);
    let unseen = graph.mul(black, outside);
    let turned = graph.add(seen, unseen);
    graph.reshape(turned, &[-1, 3, side as i64, side as i64])
}

/// Two affine couplings: of the first half with the second, and of the second with what became of the first.
fn coupled(
    graph: &mut Graph,
    weights: &Weights<'_>,
    x: Value,
    width: usize,
) -> Result<Value, ExportError> {
    let half = width / 2;
    let mut a = graph.slice(x, 1, 0..half);
    let mut b = graph.slice(x, 1, half..width);
    a = moved(graph, &weights.at("on_second"), b, a, half)?;
    b = moved(graph, &weights.at("on_first"), a, b, half)?;
    let joined = graph.concat(&[a, b], 1);
    let (low, high) = (graph.scalar(-LARGEST), graph.scalar(LARGEST));
    let joined = graph.max(joined, low);
    Ok(graph.min(joined, high))
}

/// `exp(s) x + t`, with `s` and `t` what a subnet makes of the other half.
fn moved(
    graph: &mut Graph,
    weights: &Weights<'_>,
    other: Value,
    x: Value,
    half: usize,
) -> Result<Value, ExportError> {
    let mut out = other;
    for layer in 0..LAYERS {
        if layer > 0 {
            out = graph.relu(out);
        }
        let layer = weights.at("layers").at(layer);
        let weight = layer.constant(graph, "weight")?;
        let bias = layer.constant(graph, "bias")?;
        out = graph.matmul(out, weight);
        out = graph.add(out, bias);
    }
    let raw = graph.slice(out, 1, 0..half);
    let shift = graph.slice(out, 1, half..2 * half);
    let clamp = graph.scalar(CLAMP);
    let raw = graph.div(raw, clamp);
    let bounded = graph.atan(raw);
    let log_scale = graph.scale(bounded, CLAMP * TO_ONE);
    let scale = graph.exp(log_scale);
    let scaled = graph.mul(scale, x);
    Ok(graph.add(scaled, shift))
}
