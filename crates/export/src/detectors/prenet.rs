use ckaad_detectors::prenet::Settings;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::dense::{product, standardised};
use crate::blocks::pooling::pooled;
use crate::graph::Graph;
use crate::weights::Weights;

/// Half the score as second after normal images, and half that as first before anomalous ones. Both are linear in what the shared layer makes
/// of the image, so that the partners are a number.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let pooled = pooled(graph, inputs.features, &settings.pooling);
    let standard = standardised(graph, weights, pooled)?;
    let hidden = weights.get("hidden.weight")?;
    let [units, features] = hidden.shape[..] else {
        return Err(weights.wrong("hidden.weight"));
    };
    let shared = product(graph, standard, &hidden.values, features);
    let bias = weights.constant(graph, "hidden.bias")?;
    let shared = graph.add(shared, bias);
    let shared = graph.relu(shared);

    let score = weights.doubles("score.weight")?;
    let (first, second) = score.split_at(units);
    let of_image: Vec<f32> = first
        .iter()
        .zip(second)
        .map(|(first, second)| (0.5 * (first + second)) as f32)
        .collect();
    let normal = weights.doubles("partners.normal")?;
    let anomalous = weights.doubles("partners.anomalous")?;
    let products = first
        .iter()
        .zip(&normal)
        .chain(second.iter().zip(&anomalous));
    let partners: f64 = products.map(|(weight, unit)| weight * unit).sum();
    let constant = 0.5 * partners + f64::from(weights.number("score.bias")?);

    let of_image = graph.floats(&[units], &of_image);
    let terms = graph.mul(shared, of_image);
    let sum = graph.sum(terms, &[1]);
    let constant = graph.scalar(constant as f32);
    Ok(Scored {
        score: graph.add(sum, constant),
        map: None,
    })
}
