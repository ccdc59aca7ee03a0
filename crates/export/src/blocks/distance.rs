use super::Scale;
use crate::graph::{Graph, Value};

/// The square of the smallest norm that a feature vector is divided by.
const SMALLEST_NORM_SQUARED: f32 = 1e-16;

/// `1 - cos` over channels between features and reconstructions: `[N, height, width]`.
pub(crate) fn cosine_distance(graph: &mut Graph, a: &Scale, b: &Scale) -> Value {
    let product = graph.mul(a.value, b.value);
    let product = graph.sum(product, &[1]);
    let smallest = graph.scalar(SMALLEST_NORM_SQUARED);
    let [norm_a, norm_b] = [a, b].map(|scale| {
        let square = graph.square(scale.value);
        let square = graph.sum(square, &[1]);
        let square = graph.max(square, smallest);
        graph.sqrt(square)
    });
    let norms = graph.mul(norm_a, norm_b);
    let cosine = graph.div(product, norms);
    let one = graph.scalar(1.0);
    graph.sub(one, cosine)
}

/// The Euclidean norm along the last axis, which is left out.
pub(crate) fn norm(graph: &mut Graph, x: Value) -> Value {
    let square = graph.square(x);
    let square = graph.sum(square, &[-1]);
    graph.sqrt(square)
}
