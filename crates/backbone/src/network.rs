//! A ResNet without classifier, up to the deepest stage asked for: of planned layers, of layers that hold parameters with the
//! batch norms folded in, or of layers packed to run.

use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_ops::{Activation, FeatureMap, FrozenConv, Layer, Residual};

#[derive(Module, Debug)]
pub(crate) struct Network<L> {
    pub(crate) stem: L,
    /// Blocks of stage 1, 2, ...
    pub(crate) stages: Vec<Vec<Residual<L>>>,
}

impl<L> Network<L> {
    /// The same network of other layers.
    pub(crate) fn with_layers<M>(&self, layer: impl Fn(&L) -> M) -> Network<M> {
        let blocks = |blocks: &Vec<Residual<L>>| {
            blocks
                .iter()
                .map(|block| block.with_layers(&layer))
                .collect::<Vec<_>>()
        };
        Network {
            stem: layer(&self.stem),
            stages: self.stages.iter().map(blocks).collect(),
        }
    }

    /// Every layer, in forward order.
    pub(crate) fn layers(&self) -> impl Iterator<Item = &L> {
        let blocks = self.stages.iter().flatten();
        std::iter::once(&self.stem).chain(blocks.flat_map(Residual::layers))
    }
}

impl Network<FrozenConv> {
    /// The output of every stage.
    pub(crate) fn forward(&self, images: Tensor<4>) -> Vec<FeatureMap> {
        let stem = self.stem.forward_images(images, Activation::Relu);
        self.stages_of(stem.max_pool(3, 2, 1))
    }
}

impl<L: Layer> Network<L> {
    /// The output of every stage, from the pooled output of the stem.
    pub(crate) fn stages_of(&self, pooled: L::Map) -> Vec<L::Map> {
        let mut x = pooled;
        let mut outputs = Vec::with_capacity(self.stages.len());
        for blocks in &self.stages {
            x = blocks.iter().fold(x, |x, block| block.forward(&x));
            outputs.push(x.clone());
        }
        outputs
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
            let network = backbone
                .network()
                .with_layers(|conv| FrozenConv::from(conv));
            let images = Tensor::random(
                [2, 3, 64, 96],
                burn::tensor::Distribution::Normal(0.0, 1.0),
                &device,
            );
            let plain =
                network
                    .stem
                    .forward(&FeatureMap::plain(images.clone()), None, Activation::Relu);
            let plain = network.stages_of(plain.max_pool(3, 2, 1));
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
