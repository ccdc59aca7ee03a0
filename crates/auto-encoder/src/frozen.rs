//! The auto-encoder when it learns no more: weights packed, norms, residuals and ReLUs in one pass.

use burn::nn::BatchNorm;
use ckaad_ops::{Activation, FeatureMap, FrozenConv, FrozenNorm};

use crate::AutoEncoder;
use crate::auto_encoder::Blocks;
use crate::layers::{ConvNorm, Convolution, NormLayer};
use crate::residual::Residual;

#[derive(Debug)]
enum Norm {
    Instance(FrozenNorm),
    Batch(BatchNorm),
}

#[derive(Debug)]
struct Layer {
    conv: FrozenConv,
    norm: Norm,
}

#[derive(Debug)]
struct Block {
    body: Vec<Layer>,
    shortcut: Option<Layer>,
}

/// An [`AutoEncoder`] whose parameters do not change, made by [`AutoEncoder::frozen`].
#[derive(Debug)]
pub struct FrozenAutoEncoder {
    downsample: Vec<Vec<Layer>>,
    fuse: Vec<Block>,
    decode: Vec<Vec<Block>>,
}

impl AutoEncoder {
    /// The same network for inference, to be used with an auto-encoder that tracks no gradients. Weights are packed when
    /// maps first come.
    pub fn frozen(&self) -> FrozenAutoEncoder {
        let blocks = |blocks: &Blocks| blocks.blocks.iter().map(Block::new).collect();
        FrozenAutoEncoder {
            downsample: self
                .downsample
                .iter()
                .map(|downsample| downsample.layers.iter().map(Layer::new).collect())
                .collect(),
            fuse: blocks(&self.fuse),
            decode: self.decode.iter().map(blocks).collect(),
        }
    }
}

impl FrozenAutoEncoder {
    /// Reconstructs every feature map.
    ///
    /// # Shapes
    /// As [`AutoEncoder::forward`].
    ///
    /// # Panics
    /// As [`AutoEncoder::forward`].
    pub fn forward(&self, features: &[FeatureMap]) -> Vec<FeatureMap> {
        assert_eq!(
            features.len(),
            self.downsample.len(),
            "one feature map per reconstructed stage"
        );
        let fused: Vec<FeatureMap> = self
            .downsample
            .iter()
            .zip(features)
            .map(|(layers, feature)| {
                layers.iter().fold(feature.clone(), |x, layer| {
                    layer.forward(&x, None, Activation::Relu)
                })
            })
            .collect();
        let run =
            |blocks: &[Block], x: FeatureMap| blocks.iter().fold(x, |x, block| block.forward(&x));
        let mut x = run(&self.fuse, FeatureMap::concatenate(&fused));
        let mut outputs = Vec::with_capacity(self.decode.len());
        for stage in &self.decode {
            x = run(stage, x);
            outputs.push(x.clone());
        }
        outputs.reverse();
        outputs
    }
}

impl Layer {
    fn new(layer: &ConvNorm) -> Self {
        Self {
            conv: match &layer.conv {
                Convolution::Plain(conv) => FrozenConv::from(conv),
                Convolution::Transposed(conv) => FrozenConv::from(conv),
            }
            .with_precision(layer.precision),
            norm: match &layer.norm {
                NormLayer::Instance(norm) => Norm::Instance(FrozenNorm::from(norm)),
                NormLayer::Batch(norm) => Norm::Batch(norm.clone()),
            },
        }
    }

    fn forward(
        &self,
        x: &FeatureMap,
        residual: Option<&FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        let x = self.conv.forward(x, None, Activation::Identity);
        match &self.norm {
            Norm::Instance(norm) => norm.forward(x, residual, activation),
            Norm::Batch(norm) => FeatureMap::new(activation.after(
                norm.forward(x.to_tensor()),
                residual.map(FeatureMap::to_tensor),
            )),
        }
    }
}

impl Block {
    fn new(block: &Residual) -> Self {
        Self {
            body: block.body.iter().map(Layer::new).collect(),
            shortcut: block.shortcut.as_ref().map(Layer::new),
        }
    }

    fn forward(&self, x: &FeatureMap) -> FeatureMap {
        let shortcut = self
            .shortcut
            .as_ref()
            .map(|layer| layer.forward(x, None, Activation::Identity));
        let shortcut = shortcut.as_ref().unwrap_or(x);
        let last = self.body.len() - 1;
        let mut inner = None;
        for (index, layer) in self.body.iter().enumerate() {
            let residual = (index == last).then_some(shortcut);
            inner = Some(layer.forward(inner.as_ref().unwrap_or(x), residual, Activation::Relu));
        }
        inner.unwrap_or_else(|| x.clone())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tensor};

    use super::*;
    use crate::{AutoEncoderConfig, Norm, Precision};

    #[test]
    fn the_frozen_network_agrees_with_the_one_that_learns() {
        let device = ckaad_device::cpu();
        for (expansion, norm) in [(1, Norm::Instance), (4, Norm::Instance), (1, Norm::Batch)] {
            let config = AutoEncoderConfig {
                planes: vec![16, 32],
                expansion,
                base_width: 64,
                fusion_blocks: 2,
                decoder_blocks: vec![2, 1],
                norm,
                precision: Precision::F32,
            };
            let auto_encoder = config.init(7, &device);
            let feature = |channels: usize, size: usize| {
                let shape = [2, channels * expansion, size, size];
                Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device)
            };
            let features = [feature(16, 32), feature(32, 16)];
            let maps: Vec<FeatureMap> = features.iter().cloned().map(FeatureMap::new).collect();
            let frozen = auto_encoder.frozen().forward(&maps);
            for (found, expected) in frozen.iter().zip(auto_encoder.forward(&features)) {
                let scale = expected.clone().square().sum().sqrt().into_scalar::<f32>();
                let difference = found.to_tensor() - expected;
                let error = difference.square().sum().sqrt().into_scalar::<f32>();
                assert!(error < 2e-5 * scale, "{error} of {scale}");
            }
        }
    }
}
