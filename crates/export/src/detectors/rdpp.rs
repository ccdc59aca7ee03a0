use ckaad_detectors::rdpp::{Settings, network_config};
use ckaad_ops::Resize;

use super::ckaad::of_distances;
use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::auto_encoder::auto_encoder;
use crate::blocks::layer::normed_convolution;
use crate::graph::Graph;
use crate::weights::Weights;

/// What is left of numbers below zero in a projection.
const SLOPE: f64 = 0.01;
/// Layers of a projection.
const LAYERS: usize = 4;

/// The distance of features from what the student makes of their projections.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let mut projected = Vec::new();
    for (index, scale) in inputs.features.iter().enumerate() {
        let layers = weights.at("projections.scales").at(index).at("layers");
        let mut x = scale.value;
        for layer in 0..LAYERS {
            x = normed_convolution(graph, &layers.at(layer), x, Resize::Keep)?;
            x = graph.leaky_relu(x, SLOPE);
        }
        projected.push(Scale { value: x, ..*scale });
    }
    let config = network_config(inputs.backbone).student;
    let students = auto_encoder(graph, &config, &weights.at("student"), &projected)?;
    let pairs: Vec<(Scale, Scale)> = inputs.features.iter().copied().zip(students).collect();
    Ok(of_distances(graph, settings.image_score, inputs, &pairs))
}
