//! Which convolutions a ResNet consists of, under torchvision's names.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::Device;
use ckaad_ops::{LayerShape, Residual, Resize};

use crate::ResNetVariant;
use crate::network::Network;

/// A convolution without bias and the batch norm behind it.
#[derive(Debug)]
pub(crate) struct ConvPlan {
    pub(crate) conv: String,
    pub(crate) norm: String,
    pub(crate) shape: LayerShape,
}

impl ConvPlan {
    /// The convolution with its norm folded in, all parameters zero.
    pub(crate) fn zeros(&self, device: &Device) -> Conv2d {
        let LayerShape {
            channels,
            kernel,
            resize,
        } = self.shape;
        let stride = if resize == Resize::Halve { 2 } else { 1 };
        let padding = kernel / 2;
        Conv2dConfig::new(channels, [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            ))
            .with_initializer(Initializer::Zeros)
            .init(device)
    }
}

impl Network<ConvPlan> {
    /// The network up to the stage `deepest`.
    ///
    /// # Panics
    /// If `deepest` is not in 1..=4.
    pub(crate) fn plan(variant: ResNetVariant, deepest: usize) -> Self {
        let mut channels = 64;
        let stages = (1..=deepest)
            .map(|stage| {
                (0..variant.depths()[stage - 1])
                    .map(|index| {
                        let block = block_plan(variant, stage, index, channels);
                        channels = variant.channels(stage);
                        block
                    })
                    .collect()
            })
            .collect();
        let stem = ConvPlan {
            conv: "conv1".to_owned(),
            norm: "bn1".to_owned(),
            shape: LayerShape {
                channels: [3, 64],
                kernel: 7,
                resize: Resize::Halve,
            },
        };
        Self { stem, stages }
    }
}

fn block_plan(
    variant: ResNetVariant,
    stage: usize,
    index: usize,
    channels: usize,
) -> Residual<ConvPlan> {
    let shapes = Residual::shapes(
        channels,
        ResNetVariant::planes(stage),
        variant.block().expansion(),
        variant.base_width(),
        if index == 0 && stage > 1 {
            Resize::Halve
        } else {
            Resize::Keep
        },
    );
    let layer = |conv: &str, norm: &str, shape| ConvPlan {
        conv: format!("layer{stage}.{index}.{conv}"),
        norm: format!("layer{stage}.{index}.{norm}"),
        shape,
    };
    Residual {
        body: (1..)
            .zip(shapes.body)
            .map(|(number, shape)| layer(&format!("conv{number}"), &format!("bn{number}"), shape))
            .collect(),
        shortcut: shapes
            .shortcut
            .map(|shape| layer("downsample.0", "downsample.1", shape)),
    }
}
