use ckaad_detectors::deep_sad::Settings;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::dense::{product, standardised};
use crate::blocks::pooling::pooled;
use crate::graph::Graph;
use crate::weights::Weights;

/// Added to variances.
const EPSILON: f64 = 1e-4;
/// What of a negative number passes.
const LEAK: f64 = 0.01;

/// The squared distance from the centre of what the network makes of pooled features.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let pooled = pooled(graph, inputs.features, &settings.pooling);
    let mut x = standardised(graph, weights, pooled)?;
    let mut layer = 0;
    while weights.has(&format!("weight.{layer}")) {
        let name = format!("weight.{layer}");
        let [outputs, width] = weights.get(&name)?.shape[..] else {
            return Err(weights.wrong(&name));
        };
        let mut matrix = weights.doubles(&name)?;
        let [mean, variance] = ["norm_mean", "norm_variance"].map(|name| format!("{name}.{layer}"));
        // Every layer but the last has a norm behind it, which is `(x - mean) / deviation`.
        let norm = match weights.has(&mean) {
            true => Some((weights.doubles(&mean)?, weights.doubles(&variance)?)),
            false => None,
        };
        let mut offset = vec![0.0; outputs];
        if let Some((mean, variance)) = &norm {
            for (unit, row) in matrix.chunks_exact_mut(width).enumerate() {
                let scale = (variance[unit] + EPSILON).sqrt().recip();
                row.iter_mut().for_each(|weight| *weight *= scale);
                offset[unit] = (-mean[unit] * scale) as f32;
            }
        }
        let matrix: Vec<f32> = matrix.into_iter().map(|weight| weight as f32).collect();
        x = product(graph, x, &matrix, width);
        if norm.is_some() {
            let offset = graph.floats(&[outputs], &offset);
            x = graph.add(x, offset);
            x = graph.leaky_relu(x, LEAK);
        }
        layer += 1;
    }
    let centre = weights.constant(graph, "centre")?;
    let difference = graph.sub(x, centre);
    let square = graph.square(difference);
    Ok(Scored {
        score: graph.sum(square, &[1]),
        map: None,
    })
}
