use ckaad_anomaly_map::{Align, ImageScore};
use ckaad_auto_encoder::Norm;
use ckaad_detectors::ckaad::auto_encoder_config;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::auto_encoder::auto_encoder;
use crate::blocks::distance::cosine_distance;
use crate::blocks::map::anomaly_map;
use crate::blocks::score::image_score;
use crate::graph::Graph;
use crate::weights::Weights;

/// The distance of features from their reconstruction: the five methods of ckaad differ in how the auto-encoder learns, and rd4ad is
/// it with batch norms.
pub(super) fn draw(
    graph: &mut Graph,
    norm: Norm,
    score: ImageScore,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let config = auto_encoder_config(inputs.backbone, norm);
    let reconstructions = auto_encoder(graph, &config, weights, inputs.features)?;
    let pairs: Vec<(Scale, Scale)> = inputs
        .features
        .iter()
        .copied()
        .zip(reconstructions)
        .collect();
    Ok(of_distances(graph, score, inputs, &pairs))
}

/// The map of cosine distances, and its score.
pub(super) fn of_distances(
    graph: &mut Graph,
    score: ImageScore,
    inputs: &Inputs<'_>,
    pairs: &[(Scale, Scale)],
) -> Scored {
    let mut maps = Vec::new();
    for (a, b) in pairs {
        let [_, height, width] = a.shape;
        maps.push((cosine_distance(graph, a, b), [height, width]));
    }
    let map = anomaly_map(graph, &inputs.mapper(Align::Corners), &maps);
    Scored {
        score: image_score(graph, score, map, inputs.pixels()),
        map: Some(map),
    }
}
