use ckaad_detectors::recontrast::{Settings, decoder_config};
use ckaad_ops::Resize;

use super::ckaad::of_distances;
use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::auto_encoder::auto_encoder;
use crate::blocks::backbone::backbone;
use crate::blocks::layer::convolution;
use crate::graph::Graph;
use crate::weights::Weights;

/// The distances of what each encoder sees from what the decoder makes of the other's.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let trained = backbone(
        graph,
        inputs.backbone,
        inputs.image_size,
        &weights.at("encoder.network"),
        |graph, weights, x, resize| convolution(graph, &weights.at("conv"), x, resize),
        inputs.images,
    )?;
    let student = decoder_config(inputs.backbone).student;
    let decoder = weights.at("decoder");
    let mut pairs = Vec::new();
    for (outputs, seen, given_back) in [
        ("for_frozen", &trained[..], inputs.features),
        ("for_trained", inputs.features, &trained[..]),
    ] {
        let decoded = auto_encoder(graph, &student, &decoder.at("student"), seen)?;
        let outputs = decoder.at(outputs).at("scales");
        for (index, (decoded, feature)) in decoded.iter().zip(given_back).enumerate() {
            let value = convolution(graph, &outputs.at(index), decoded.value, Resize::Keep)?;
            pairs.push((*feature, Scale { value, ..*feature }));
        }
    }
    Ok(of_distances(graph, settings.image_score, inputs, &pairs))
}
