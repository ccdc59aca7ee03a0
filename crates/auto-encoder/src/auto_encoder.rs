use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Activation, FeatureMap, Layer, LayerShape, Precision, Residual, Resize};
use ckaad_parameters::Initialisation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ConvNorm, FrozenConvNorm};

/// The norm behind every convolution; in files `instance` or `batch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Instance norm with affine parameters, epsilon 1e-5: the method's.
    #[default]
    Instance,
    /// Batch norm, momentum 0.1, epsilon 1e-5: an ablation, and what other systems reconstruct with.
    Batch,
}

/// The shape of an auto-encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoEncoderConfig {
    /// Planes of each reconstructed stage, fine to coarse; each twice the one before or more (64, 128, 256, 512).
    pub planes: Vec<usize>,
    /// Channels per plane: 1 builds basic blocks, 4 bottlenecks.
    pub expansion: usize,
    /// Width of a bottleneck's inner convolution per 64 planes.
    pub base_width: usize,
    /// Residual blocks between the fused features and the latent map.
    pub fusion_blocks: usize,
    /// Residual blocks of each decoder stage, *coarse to fine*.
    pub decoder_blocks: Vec<usize>,
    /// The norm behind every convolution.
    pub norm: Norm,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// Convolutions that bring one stage's features to the size and channels of the deepest one.
#[derive(Module, Debug)]
struct Downsample<L> {
    layers: Vec<L>,
}

/// Residual blocks in a row.
#[derive(Module, Debug)]
struct Blocks<L> {
    blocks: Vec<Residual<L>>,
}

/// Fuses feature maps of several scales into a latent map and reconstructs each of them from it.
#[derive(Module, Debug)]
pub struct AutoEncoder<L = ConvNorm> {
    downsample: Vec<Downsample<L>>,
    fuse: Blocks<L>,
    decode: Vec<Blocks<L>>,
}

/// An [`AutoEncoder`] whose parameters do not change, made by [`AutoEncoder::frozen`].
pub type FrozenAutoEncoder = AutoEncoder<FrozenConvNorm>;

/// Feature maps that can be fused.
pub trait Concatenate: Clone {
    /// Maps of the same batch and size, channels after channels.
    ///
    /// # Panics
    /// If there are none, or their sizes differ.
    fn concatenate(maps: Vec<Self>) -> Self;
}

impl Concatenate for Tensor<4> {
    fn concatenate(maps: Vec<Self>) -> Self {
        Tensor::cat(maps, 1)
    }
}

impl Concatenate for FeatureMap {
    fn concatenate(maps: Vec<Self>) -> Self {
        Self::concatenate(&maps)
    }
}

impl AutoEncoderConfig {
    /// An auto-encoder with seeded starting values: convolutions Kaiming normal, transposed ones Kaiming uniform.
    ///
    /// # Panics
    /// If there are no planes, or fewer decoder stages than planes.
    pub fn init(&self, seed: u64, device: &Device) -> AutoEncoder {
        Initialisation::KaimingNormal.fill(self.zeros(device), seed)
    }

    /// The same network with its convolutions zero, to be filled from a file.
    ///
    /// # Panics
    /// As [`init`](Self::init).
    pub fn zeros(&self, device: &Device) -> AutoEncoder {
        assert!(
            !self.planes.is_empty(),
            "an auto-encoder reconstructs at least one stage"
        );
        assert!(
            self.decoder_blocks.len() == self.planes.len(),
            "every reconstructed stage has its decoder stage"
        );
        let layer = |shape: &LayerShape| ConvNorm::new(*shape, self.norm, self.precision, device);
        let block = |input, planes, resize| {
            Residual::shapes(input, planes, self.expansion, self.base_width, resize)
                .with_layers(layer)
        };
        // The first block changes size and channels.
        let blocks = |input, planes, resize, count| Blocks {
            blocks: (0..count)
                .map(|index| match index {
                    0 => block(input, planes, resize),
                    _ => block(planes * self.expansion, planes, Resize::Keep),
                })
                .collect(),
        };
        let deepest = self.planes[self.planes.len() - 1];
        let downsample = |&planes: &usize| Downsample {
            layers: doublings(planes, deepest)
                .map(|planes| {
                    let channels = planes * self.expansion;
                    layer(&LayerShape {
                        channels: [channels, 2 * channels],
                        kernel: 3,
                        resize: Resize::Halve,
                    })
                })
                .collect(),
        };
        let fused = deepest * self.expansion * self.planes.len();
        AutoEncoder {
            downsample: self.planes.iter().map(downsample).collect(),
            fuse: blocks(fused, 2 * deepest, Resize::Halve, self.fusion_blocks),
            decode: self
                .planes
                .iter()
                .rev()
                .zip(&self.decoder_blocks)
                .map(|(&planes, &count)| {
                    blocks(2 * planes * self.expansion, planes, Resize::Double, count)
                })
                .collect(),
        }
    }
}

/// `from`, twice that, and so on below `to`.
fn doublings(from: usize, to: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(from), |planes| Some(2 * planes))
        .take_while(move |&planes| planes < to)
}

impl<L> Blocks<L> {
    fn with_layers<M>(&self, layer: impl Fn(&L) -> M) -> Blocks<M> {
        Blocks {
            blocks: self
                .blocks
                .iter()
                .map(|block| block.with_layers(&layer))
                .collect(),
        }
    }
}

impl<L: Layer> Blocks<L> {
    fn forward(&self, x: L::Map) -> L::Map {
        self.blocks.iter().fold(x, |x, block| block.forward(&x))
    }
}

impl AutoEncoder {
    /// The same network for inference, to be used with an auto-encoder that tracks no gradients. Weights are packed when
    /// maps first come.
    pub fn frozen(&self) -> FrozenAutoEncoder {
        let layer = |layer: &ConvNorm| FrozenConvNorm::from(layer);
        AutoEncoder {
            downsample: self
                .downsample
                .iter()
                .map(|downsample| Downsample {
                    layers: downsample.layers.iter().map(layer).collect(),
                })
                .collect(),
            fuse: self.fuse.with_layers(layer),
            decode: self
                .decode
                .iter()
                .map(|blocks| blocks.with_layers(layer))
                .collect(),
        }
    }
}

impl<L: Layer<Map: Concatenate>> AutoEncoder<L> {
    /// Reconstructs every feature map (the paper's equation 1).
    ///
    /// # Shapes
    /// - features, fine to coarse: `[batch, planes(s) * expansion, height(s), width(s)]`, each half the size of the one
    ///   before, the coarsest of even height and width
    /// - output: the same shapes in the same order
    ///
    /// # Panics
    /// If the features have other shapes.
    pub fn forward(&self, features: &[L::Map]) -> Vec<L::Map> {
        let mut x = self.encode(features);
        let mut outputs = Vec::with_capacity(self.decode.len());
        for stage in &self.decode {
            x = stage.forward(x);
            outputs.push(x.clone());
        }
        outputs.reverse();
        outputs
    }

    /// The latent map alone.
    ///
    /// # Shapes
    /// - features: as for [`forward`](Self::forward)
    /// - output: `[batch, 2 * planes(deepest) * expansion, height(deepest) / 2, width(deepest) / 2]`
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn encode(&self, features: &[L::Map]) -> L::Map {
        assert_eq!(
            features.len(),
            self.downsample.len(),
            "one feature map per reconstructed stage"
        );
        let fused = self
            .downsample
            .iter()
            .zip(features)
            .map(|(downsample, feature)| {
                downsample.layers.iter().fold(feature.clone(), |x, layer| {
                    layer.forward(&x, None, Activation::Relu)
                })
            })
            .collect();
        self.fuse.forward(L::Map::concatenate(fused))
    }
}
