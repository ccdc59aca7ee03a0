//! The auto-encoder when it learns no more: weights packed, norms, residuals and ReLUs in one pass.

use burn::nn::BatchNorm;
use ckaad_ops::{Activation, FeatureMap, FrozenConv, FrozenNorm, Layer};

use crate::ConvNorm;
use crate::layers::{Convolution, NormLayer};

#[derive(Debug)]
enum Norm {
    Instance(FrozenNorm),
    Batch(BatchNorm),
}

/// A convolution without bias, then a norm; neither learns any more.
#[derive(Debug)]
pub struct FrozenConvNorm {
    conv: FrozenConv,
    norm: Norm,
}

impl From<&ConvNorm> for FrozenConvNorm {
    fn from(layer: &ConvNorm) -> Self {
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
}

impl Layer for FrozenConvNorm {
    type Map = FeatureMap;

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
