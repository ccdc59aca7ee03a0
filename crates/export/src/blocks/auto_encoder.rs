use ckaad_auto_encoder::AutoEncoderConfig;
use ckaad_ops::{Residual, Resize};

use super::Scale;
use super::layer::normed_convolution;
use super::residual::residual;
use crate::ExportError;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// The reconstruction of every feature map, in the same shapes and order.
pub(crate) fn auto_encoder(
    graph: &mut Graph,
    config: &AutoEncoderConfig,
    weights: &Weights<'_>,
    features: &[Scale],
) -> Result<Vec<Scale>, ExportError> {
    let Some(&deepest) = config.planes.last() else {
        return Ok(Vec::new());
    };
    let mut fused = Vec::new();
    for (scale, (feature, &planes)) in features.iter().zip(&config.planes).enumerate() {
        let weights = weights.at("downsample").at(scale).at("layers");
        let mut x = feature.value;
        for index in 0..(deepest / planes).ilog2() {
            x = normed_convolution(graph, &weights.at(index), x, Resize::Halve)?;
            x = graph.relu(x);
        }
        fused.push(x);
    }
    let fused = graph.concat(&fused, 1);
    let channels = deepest * config.expansion * config.planes.len();
    let mut stages = Stages {
        graph,
        config,
        weights,
    };
    let shape = (channels, 2 * deepest, Resize::Halve, config.fusion_blocks);
    let mut x = stages.run("fuse", fused, shape)?;
    let mut outputs = Vec::new();
    let decoders = config.planes.iter().rev().zip(&config.decoder_blocks);
    for (index, (&planes, &count)) in decoders.enumerate() {
        let channels = 2 * planes * config.expansion;
        let shape = (channels, planes, Resize::Double, count);
        x = stages.run(&format!("decode.{index}"), x, shape)?;
        outputs.push(x);
    }
    let outputs = outputs.into_iter().rev().zip(features);
    Ok(outputs
        .map(|(value, feature)| Scale { value, ..*feature })
        .collect())
}

struct Stages<'a> {
    graph: &'a mut Graph,
    config: &'a AutoEncoderConfig,
    weights: &'a Weights<'a>,
}

impl Stages<'_> {
    /// Residual blocks in a row: channels that go in, planes, what the first one does to the resolution, and how many there are.
    fn run(
        &mut self,
        name: &str,
        x: Value,
        (channels, planes, resize, count): (usize, usize, Resize, usize),
    ) -> Result<Value, ExportError> {
        let (expansion, base_width) = (self.config.expansion, self.config.base_width);
        (0..count).try_fold(x, |x, index| {
            let (channels, resize) = match index {
                0 => (channels, resize),
                _ => (planes * expansion, Resize::Keep),
            };
            let block = Residual::shapes(channels, planes, expansion, base_width, resize);
            let weights = self.weights.at(name).at("blocks").at(index);
            residual(self.graph, &weights, &block, x, normed_convolution)
        })
    }
}
