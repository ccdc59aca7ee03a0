//! A copy of a backbone that learns.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use ckaad_ops::{Activation, FeatureMap, Layer, Precision, conv2d};

use crate::network::Network;
use crate::{Backbone, BackboneConfig};

/// A convolution with the batch norm folded in; weight and offset learn.
#[derive(Module, Debug)]
struct LearningConv {
    conv: Conv2d,
    #[module(skip)]
    precision: Precision,
}

/// A [`Backbone`] whose weights learn, made by [`Backbone::encoder`].
///
/// Its batch norms stay folded into the convolutions: it learns as a network does whose batch norms keep the statistics of the pretraining.
#[derive(Module, Debug)]
pub struct Encoder {
    network: Network<LearningConv>,
    #[module(skip)]
    config: BackboneConfig,
}

impl Layer for LearningConv {
    type Map = Tensor<4>;

    fn forward(
        &self,
        x: &Tensor<4>,
        residual: Option<&Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        let y = conv2d(&self.conv, x.clone(), self.precision);
        activation.after(y, residual.cloned())
    }
}

impl Backbone {
    /// A copy that starts with these weights and learns, on the same device with autodiff.
    pub fn encoder(&self) -> Encoder {
        let config = self.config().clone();
        let network = self.network().with_layers(|conv| LearningConv {
            conv: conv.clone(),
            precision: config.precision,
        });
        Encoder { network, config }.train()
    }
}

impl Encoder {
    /// The feature maps of the chosen stages, fine to coarse.
    ///
    /// # Shapes
    /// As [`Backbone::forward`].
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let stem = self.network.stem.forward(&images, None, Activation::Relu);
        let pooled = FeatureMap::plain(stem).max_pool(3, 2, 1).to_tensor();
        let outputs = self.network.stages_of(pooled);
        let stages = self.config.stages.iter();
        stages.map(|&stage| outputs[stage - 1].clone()).collect()
    }

    /// What it has become, as a backbone that learns no more.
    pub fn frozen(&self) -> Backbone {
        let network = self.network.with_layers(|layer| layer.conv.valid());
        Backbone::new(self.config.clone(), network)
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::{GradientsParams, SgdConfig};
    use burn::tensor::Distribution;

    use super::*;
    use crate::ResNetVariant;

    /// The Euclidean norm of the difference over that of `b`.
    fn error(a: &Tensor<4>, b: &Tensor<4>) -> f32 {
        let norm = |x: Tensor<4>| x.square().sum().sqrt().into_scalar::<f32>();
        norm(a.clone() - b.clone()) / norm(b.clone())
    }

    #[test]
    fn a_copy_starts_as_the_backbone_and_leaves_it_as_it_is() {
        let device = ckaad_device::cpu();
        let config =
            BackboneConfig::new(ResNetVariant::ResNet18, &[1, 3]).unwrap_or_else(|_| panic!());
        let backbone = config.random(3, &device);
        let before = backbone.fingerprint();
        let images = Tensor::random([2, 3, 64, 64], Distribution::Normal(0.0, 1.0), &device);
        let expected = backbone.forward(images.clone());
        let encoder = backbone.encoder();
        let found = encoder.forward(images.clone());
        assert_eq!(found.len(), 2);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(error(&found.clone().inner(), expected) < 1e-4);
        }
        assert_eq!(encoder.frozen().fingerprint(), before);

        let loss = found[0].clone().square().mean() + found[1].clone().square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &encoder);
        // Every convolution up to the third stage has a weight and an offset.
        assert_eq!(gradients.len(), 2 * 15);
        let learned = SgdConfig::new().init().step(1e-3, encoder, gradients);
        let frozen = learned.frozen();
        assert_ne!(frozen.fingerprint(), before);
        assert_eq!(backbone.fingerprint(), before);
        let now = learned.forward(images.clone());
        for (frozen, learned) in frozen.forward(images).iter().zip(now) {
            assert!(error(frozen, &learned.inner()) < 1e-4);
        }
    }
}
