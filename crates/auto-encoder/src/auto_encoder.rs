use burn::module::Module;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Activation, Precision};
use ckaad_parameters::Initialisation;
use serde::{Deserialize, Serialize};

use crate::layers::{ConvNorm, Resize};
use crate::residual::Residual;

/// The norm behind every convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Instance norm with affine parameters, epsilon 1e-5: the method's.
    Instance,
    /// Batch norm: an ablation. Its running variance is the biased estimate, unlike PyTorch's; training does not see it.
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
pub(crate) struct Downsample {
    pub(crate) layers: Vec<ConvNorm>,
}

/// Residual blocks in a row.
#[derive(Module, Debug)]
pub(crate) struct Blocks {
    pub(crate) blocks: Vec<Residual>,
}

/// Fuses feature maps of several scales into a latent map and reconstructs each of them from it.
#[derive(Module, Debug)]
pub struct AutoEncoder {
    pub(crate) downsample: Vec<Downsample>,
    pub(crate) fuse: Blocks,
    pub(crate) decode: Vec<Blocks>,
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
        let deepest = self.planes[self.planes.len() - 1];
        let downsample = self
            .planes
            .iter()
            .map(|&planes| self.downsample(planes, deepest, device))
            .collect();
        let latent = 2 * deepest;
        let fuse = (0..self.fusion_blocks)
            .map(|index| match index {
                0 => {
                    let fused = deepest * self.expansion * self.planes.len();
                    Residual::new(fused, latent, Resize::Halve, self, device)
                }
                _ => Residual::new(latent * self.expansion, latent, Resize::Keep, self, device),
            })
            .collect();
        let decode = self
            .planes
            .iter()
            .rev()
            .zip(&self.decoder_blocks)
            .map(|(&planes, &count)| self.decoder_stage(planes, count, device))
            .collect();
        AutoEncoder {
            downsample,
            fuse: Blocks { blocks: fuse },
            decode,
        }
    }

    fn downsample(&self, planes: usize, deepest: usize, device: &Device) -> Downsample {
        let mut channels = planes * self.expansion;
        let mut layers = Vec::new();
        while channels < deepest * self.expansion {
            layers.push(ConvNorm::new(
                [channels, 2 * channels],
                3,
                Resize::Halve,
                self,
                device,
            ));
            channels *= 2;
        }
        Downsample { layers }
    }

    fn decoder_stage(&self, planes: usize, count: usize, device: &Device) -> Blocks {
        let channels = planes * self.expansion;
        let blocks = (0..count)
            .map(|index| match index {
                0 => Residual::new(2 * channels, planes, Resize::Double, self, device),
                _ => Residual::new(channels, planes, Resize::Keep, self, device),
            })
            .collect();
        Blocks { blocks }
    }
}

impl Downsample {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.layers
            .iter()
            .fold(x, |x, layer| layer.forward(x, None, Activation::Relu))
    }
}

impl Blocks {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.blocks.iter().fold(x, |x, block| block.forward(x))
    }
}

impl AutoEncoder {
    /// Reconstructs every feature map (the paper's equation 1).
    ///
    /// # Shapes
    /// - features, fine to coarse: `[batch, planes(s) * expansion, height(s), width(s)]`, each half the size of the one
    ///   before, the coarsest of even height and width
    /// - output: the same shapes in the same order
    ///
    /// # Panics
    /// If the features have other shapes.
    pub fn forward(&self, features: &[Tensor<4>]) -> Vec<Tensor<4>> {
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
    pub fn encode(&self, features: &[Tensor<4>]) -> Tensor<4> {
        assert_eq!(
            features.len(),
            self.downsample.len(),
            "one feature map per reconstructed stage"
        );
        let fused = self
            .downsample
            .iter()
            .zip(features)
            .map(|(downsample, feature)| downsample.forward(feature.clone()))
            .collect();
        self.fuse.forward(Tensor::cat(fused, 1))
    }
}
