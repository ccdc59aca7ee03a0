use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_ops::{Residual, Resize};

use super::Scale;
use super::residual::{Layer, residual};
use crate::ExportError;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// Channels of the stem.
const STEM: usize = 64;

/// The features of images at every chosen stage, fine to coarse.
///
/// # Shapes
/// - images: `[N, 3, image_size, image_size]`, normalised
pub(crate) fn backbone(
    graph: &mut Graph,
    config: &BackboneConfig,
    image_size: usize,
    weights: &Weights<'_>,
    layer: Layer,
    images: Value,
) -> Result<Vec<Scale>, ExportError> {
    let variant = config.variant;
    let deepest = config.stages.last().copied().unwrap_or(1);
    let stem = layer(graph, &weights.at("stem"), images, Resize::Halve)?;
    let stem = graph.relu(stem);
    let mut x = graph.max_pool(stem);
    let mut channels = STEM;
    let mut scales = Vec::new();
    for stage in 1..=deepest {
        for index in 0..variant.depths()[stage - 1] {
            let block = Residual::shapes(
                channels,
                ResNetVariant::planes(stage),
                variant.block().expansion(),
                variant.base_width(),
                match (index, stage) {
                    (0, 2..) => Resize::Halve,
                    _ => Resize::Keep,
                },
            );
            let weights = weights.at("stages").at(stage - 1).at(index);
            x = residual(graph, &weights, &block, x, layer)?;
            channels = variant.channels(stage);
        }
        if config.stages.contains(&stage) {
            let side = image_size >> (stage + 1);
            scales.push(Scale {
                value: x,
                shape: [channels, side, side],
            });
        }
    }
    Ok(scales)
}
