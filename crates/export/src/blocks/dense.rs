//! Vectors: standardised, and through linear layers.

use super::map::transposed;
use crate::ExportError;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// `(x - mean) / deviation` of vectors `[N, features]`, by the parameters of those names.
pub(crate) fn standardised(
    graph: &mut Graph,
    weights: &Weights<'_>,
    x: Value,
) -> Result<Value, ExportError> {
    let mean = weights.constant(graph, "mean")?;
    let deviation = weights.constant(graph, "deviation")?;
    let centred = graph.sub(x, mean);
    Ok(graph.div(centred, deviation))
}

/// `x weights^T`: vectors `[N, in]` by a matrix `[out, in]`, row-major.
pub(crate) fn product(graph: &mut Graph, x: Value, matrix: &[f32], inputs: usize) -> Value {
    let outputs = matrix.len() / inputs;
    let matrix = graph.floats(&[inputs, outputs], &transposed(matrix, inputs));
    graph.matmul(x, matrix)
}
