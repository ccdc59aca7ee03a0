//! One vector per image from its feature maps.

use ckaad_detectors::pooling::{Pooling, parts};

use super::Scale;
use crate::graph::{Graph, Value};

/// The mean of every channel: `[N, channels]`.
pub(crate) fn means(graph: &mut Graph, scale: &Scale) -> Value {
    graph.mean(scale.value, &[2, 3])
}

/// The largest value of every channel: `[N, channels]`.
pub(crate) fn maxima(graph: &mut Graph, scale: &Scale) -> Value {
    graph.largest(scale.value, &[2, 3])
}

/// The pooled features of an image: scale after scale, of each one pooling after the other, of each all channels.
pub(crate) fn pooled(graph: &mut Graph, scales: &[Scale], poolings: &[Pooling]) -> Value {
    let mut all = Vec::new();
    for scale in scales {
        for pooling in poolings {
            all.push(pool(graph, scale, *pooling));
        }
    }
    graph.concat(&all, 1)
}

fn pool(graph: &mut Graph, scale: &Scale, pooling: Pooling) -> Value {
    match pooling {
        Pooling::Mean => means(graph, scale),
        Pooling::Maximum => maxima(graph, scale),
        Pooling::Deviation => {
            let channels = scale.shape[0] as i64;
            let flat = graph.reshape(scale.value, &[0, channels, -1]);
            let centre = graph.mean_keeping(flat, 2);
            let centred = graph.sub(flat, centre);
            let square = graph.square(centred);
            let variance = graph.mean(square, &[2]);
            graph.sqrt(variance)
        }
        Pooling::Grid2 | Pooling::Grid4 => grid(graph, scale, pooling),
    }
}

/// The means of parts: of every channel one after the other.
fn grid(graph: &mut Graph, scale: &Scale, pooling: Pooling) -> Value {
    let count = pooling.numbers();
    let averages = averages(scale, count);
    let averages = graph.floats(&[scale.positions(), count], &averages);
    let flat = graph.reshape(scale.value, &[0, scale.shape[0] as i64, -1]);
    let means = graph.matmul(flat, averages);
    graph.reshape(means, &[0, -1])
}

/// The matrix that takes the means of so many parts: `[positions, parts]`.
pub(crate) fn averages(scale: &Scale, count: usize) -> Vec<f32> {
    let [_, height, width] = scale.shape;
    let mut matrix = vec![0.0; scale.positions() * count];
    for (part, [rows, columns]) in parts(count, [height, width]).enumerate() {
        let share = ((rows.len() * columns.len()) as f32).recip();
        for row in rows {
            for column in columns.clone() {
                matrix[(row * width + column) * count + part] = share;
            }
        }
    }
    matrix
}
