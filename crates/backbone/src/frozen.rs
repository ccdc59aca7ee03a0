//! The network as it runs: weights packed, residual and ReLU done within the convolutions.

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use ckaad_ops::{Activation, FeatureMap, FrozenConv, Precision};

use crate::resnet::{Network, Residual};

/// A residual block: `relu(body(x) + shortcut(x))`.
#[derive(Debug)]
struct Block {
    body: Vec<FrozenConv>,
    shortcut: Option<FrozenConv>,
}

/// A ResNet without classifier whose weights do not change.
#[derive(Debug)]
pub(crate) struct FrozenNetwork {
    stem: FrozenConv,
    stages: Vec<Vec<Block>>,
}

impl FrozenNetwork {
    pub(crate) fn new(network: &Network, precision: Precision) -> Self {
        let conv = |layer: &Conv2d| FrozenConv::from(layer).with_precision(precision);
        let block = |block: &Residual| Block {
            body: block.body.iter().map(conv).collect(),
            shortcut: block.shortcut.as_ref().map(conv),
        };
        Self {
            stem: conv(&network.stem),
            stages: network
                .stages
                .iter()
                .map(|blocks| blocks.iter().map(block).collect())
                .collect(),
        }
    }

    /// The output of every stage.
    pub(crate) fn forward(&self, images: Tensor<4>) -> Vec<FeatureMap> {
        self.stages_of(self.stem.forward_images(images, Activation::Relu))
    }

    /// From the stem's output.
    fn stages_of(&self, x: FeatureMap) -> Vec<FeatureMap> {
        let mut x = x.max_pool(3, 2, 1);
        let mut outputs = Vec::with_capacity(self.stages.len());
        for blocks in &self.stages {
            x = blocks.iter().fold(x, |x, block| block.forward(&x));
            outputs.push(x.clone());
        }
        outputs
    }
}

impl Block {
    fn forward(&self, x: &FeatureMap) -> FeatureMap {
        let shortcut = self
            .shortcut
            .as_ref()
            .map(|conv| conv.forward(x, None, Activation::Identity));
        let shortcut = shortcut.as_ref().unwrap_or(x);
        let last = self.body.len() - 1;
        let mut inner = None;
        for (index, conv) in self.body.iter().enumerate() {
            let residual = (index == last).then_some(shortcut);
            inner = Some(conv.forward(inner.as_ref().unwrap_or(x), residual, Activation::Relu));
        }
        inner.unwrap_or_else(|| x.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BackboneConfig, ResNetVariant};

    #[test]
    fn packed_and_plain_layers_agree() {
        let device = ckaad_device::cpu();
        for variant in [ResNetVariant::ResNet18, ResNetVariant::ResNet50] {
            let config = BackboneConfig::new(variant, &[1, 2, 3]).unwrap_or_else(|_| panic!());
            let backbone = config.random(3, &device);
            let network = FrozenNetwork::new(backbone.network(), Precision::F32);
            let images = Tensor::random(
                [2, 3, 64, 96],
                burn::tensor::Distribution::Normal(0.0, 1.0),
                &device,
            );
            let plain =
                network
                    .stem
                    .forward(&FeatureMap::plain(images.clone()), None, Activation::Relu);
            let plain = network.stages_of(plain);
            let packed = network.forward(images);
            for (packed, plain) in packed.iter().zip(&plain) {
                let (packed, plain) = (packed.to_tensor(), plain.to_tensor());
                let scale = plain.clone().square().sum().sqrt().into_scalar::<f32>();
                let error = (packed - plain).square().sum().sqrt().into_scalar::<f32>();
                assert!(error < 1e-4 * scale, "{error} of {scale}");
            }
        }
    }
}
