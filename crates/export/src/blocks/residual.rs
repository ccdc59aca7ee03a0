use ckaad_ops::{LayerShape, Residual, Resize};

use crate::ExportError;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// A layer of a block: what it does with its weights, a value and the resolution.
pub(crate) type Layer = fn(&mut Graph, &Weights<'_>, Value, Resize) -> Result<Value, ExportError>;

/// `relu(body(x) + shortcut(x))`.
pub(crate) fn residual(
    graph: &mut Graph,
    weights: &Weights<'_>,
    block: &Residual<LayerShape>,
    x: Value,
    layer: Layer,
) -> Result<Value, ExportError> {
    let shortcut = match &block.shortcut {
        Some(shape) => layer(graph, &weights.at("shortcut"), x, shape.resize)?,
        None => x,
    };
    let mut inside = x;
    for (index, shape) in block.body.iter().enumerate() {
        if index > 0 {
            inside = graph.relu(inside);
        }
        let weights = weights.at("body").at(index);
        inside = layer(graph, &weights, inside, shape.resize)?;
    }
    let sum = graph.add(inside, shortcut);
    Ok(graph.relu(sum))
}
