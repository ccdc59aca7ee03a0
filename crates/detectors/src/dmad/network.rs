//! The networks behind the deformation: a bottleneck that knows a few codes alone, and a decoder.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use ckaad_auto_encoder::{AutoEncoderConfig, ConvNorm};
use ckaad_ops::{Activation, Layer, LayerShape, Residual, Resize};
use ckaad_parameters::{Initialisation, fill};

use super::offset::OffsetNetwork;

/// Weight of what draws features to their codes.
const COMMITMENT: f64 = 0.25;

/// The shape of a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Which features are reconstructed, and by what blocks.
    pub student: AutoEncoderConfig,
    /// Channels that the features of a scale are reduced to.
    pub reduced: usize,
    /// Codes that features of the coarsest scale are replaced by.
    pub codes: usize,
    /// Channels of the network that says how images are deformed.
    pub offset_width: usize,
}

type Blocks = Vec<Residual<ConvNorm>>;

/// Features of all scales to a latent map.
#[derive(Module, Debug)]
pub struct Bottleneck {
    reduce: Vec<Vec<ConvNorm>>,
    codes: Param<Tensor<2>>,
    fuse: Blocks,
}

/// The latent map to features of all scales.
#[derive(Module, Debug)]
pub struct Decoder {
    stage: Vec<Blocks>,
}

/// All that learns.
#[derive(Module, Debug)]
pub struct Network {
    /// Says how images are deformed.
    pub offset: OffsetNetwork,
    bottleneck: Bottleneck,
    decoder: Decoder,
}

/// Features replaced by codes.
#[derive(Debug, Clone)]
pub struct Quantised {
    /// The codes in the features' places; their gradient is the features'.
    pub values: Tensor<4>,
    /// How far features and codes are from each other.
    pub loss: Tensor<1>,
    /// Which code every position has, image by image, row by row.
    pub picks: Vec<usize>,
}

/// What the networks make of features.
#[derive(Debug, Clone)]
pub struct Output {
    /// The latent map.
    pub latent: Tensor<4>,
    /// The features again, fine to coarse.
    pub features: Vec<Tensor<4>>,
    /// How the coarsest became codes.
    pub quantised: Quantised,
}

impl NetworkConfig {
    /// Starting values by `seed`: convolutions Kaiming normal, codes uniform in ±1 over their number.
    pub fn init(&self, seed: u64, device: &Device) -> Network {
        fill(self.zeros(device), |info| {
            let mut values = Initialisation::KaimingNormal.values(info, seed);
            if info.name.ends_with(".codes") {
                // The values are uniform in ±1 over the square root of the codes' length.
                let scale = (info.shape[1] as f32).sqrt() / self.codes as f32;
                values.iter_mut().for_each(|value| *value *= scale);
            }
            values
        })
    }

    /// The same network to be filled from a file.
    pub fn zeros(&self, device: &Device) -> Network {
        let config = &self.student;
        Network {
            offset: OffsetNetwork::zeros(self.offset_width, config.precision, device),
            bottleneck: self.bottleneck(device),
            decoder: self.decoder(device),
        }
    }

    fn layer(&self, shape: &LayerShape, device: &Device) -> ConvNorm {
        ConvNorm::new(*shape, self.student.norm, self.student.precision, device)
    }

    fn block(
        &self,
        input: usize,
        planes: usize,
        resize: Resize,
        device: &Device,
    ) -> Residual<ConvNorm> {
        let (expansion, base) = (self.student.expansion, self.student.base_width);
        let shapes = Residual::shapes(input, planes, expansion, base, resize);
        shapes.with_layers(|shape| self.layer(shape, device))
    }

    /// Blocks of which the first changes channels and size.
    fn blocks(
        &self,
        input: usize,
        planes: usize,
        resize: Resize,
        count: usize,
        device: &Device,
    ) -> Blocks {
        let others = (1..count).map(|_| {
            let input = planes * self.student.expansion;
            self.block(input, planes, Resize::Keep, device)
        });
        std::iter::once(self.block(input, planes, resize, device))
            .chain(others)
            .collect()
    }

    /// Planes of the coarsest scale.
    fn deepest(&self) -> usize {
        self.student.planes.last().copied().unwrap_or(1)
    }

    fn bottleneck(&self, device: &Device) -> Bottleneck {
        let scales = self.student.planes.len();
        let reduce = |(scale, planes): (usize, &usize)| -> Vec<ConvNorm> {
            let layers = (scale..scales).enumerate().map(|(number, _)| {
                let first = number == 0;
                let input = if first {
                    planes * self.student.expansion
                } else {
                    self.reduced
                };
                let shape = LayerShape {
                    channels: [input, self.reduced],
                    kernel: 3,
                    resize: if first { Resize::Keep } else { Resize::Halve },
                };
                self.layer(&shape, device)
            });
            layers.collect()
        };
        let deepest = self.deepest() * self.student.expansion;
        let input = scales * self.reduced + deepest;
        let (planes, count) = (2 * self.deepest(), self.student.fusion_blocks);
        Bottleneck {
            reduce: self.student.planes.iter().enumerate().map(reduce).collect(),
            codes: Initializer::Zeros.init([self.codes, deepest], device),
            fuse: self.blocks(input, planes, Resize::Halve, count, device),
        }
    }

    fn decoder(&self, device: &Device) -> Decoder {
        let coarse_to_fine = self.student.planes.iter().rev();
        let mut input = 2 * self.deepest() * self.student.expansion;
        let stages = coarse_to_fine.zip(&self.student.decoder_blocks);
        let stage = stages.map(|(&planes, &count)| {
            let blocks = self.blocks(input, planes, Resize::Double, count, device);
            input = planes * self.student.expansion;
            blocks
        });
        Decoder {
            stage: stage.collect(),
        }
    }
}

/// Replaces the channels of every position by the nearest code.
///
/// # Shapes
/// - codes: `[codes, channels]`; x: `[batch, channels, height, width]`
pub fn quantise(codes: &Tensor<2>, x: Tensor<4>) -> Quantised {
    let [batch, channels, height, width] = x.dims();
    let rows = |x: Tensor<4>| -> Tensor<2> {
        let positions = batch * height * width;
        x.permute([0, 2, 3, 1]).reshape([positions, channels])
    };
    let fixed = rows(x.clone().detach());
    let known = codes.clone().detach();
    let products = fixed.matmul(known.clone().transpose());
    // The squares of the rows are the same for all codes.
    let squares = known.square().sum_dim(1).transpose();
    let picks = (squares - products * 2.0).argmin(1).squeeze_dim::<1>(1);
    let chosen = codes.clone().select(0, picks.clone());
    let chosen = chosen.reshape([batch, height, width, channels]);
    let chosen = chosen.permute([0, 3, 1, 2]);
    let to_codes = (chosen.clone().detach() - x.clone()).square().mean();
    let to_features = (chosen.clone() - x.clone().detach()).square().mean();
    Quantised {
        values: x.clone() + (chosen - x).detach(),
        loss: to_codes * COMMITMENT + to_features,
        picks: picks
            .into_data()
            .iter::<i64>()
            .map(|pick| pick as usize)
            .collect(),
    }
}

fn through(blocks: &Blocks, x: Tensor<4>) -> Tensor<4> {
    blocks.iter().fold(x, |x, block| block.forward(&x))
}

impl Bottleneck {
    fn forward(&self, features: &[Tensor<4>]) -> (Tensor<4>, Quantised) {
        let Some(coarsest) = features.last() else {
            panic!("a bottleneck needs at least one scale");
        };
        let quantised = quantise(&self.codes.val(), coarsest.clone());
        let reduced = self.reduce.iter().zip(features).map(|(layers, map)| {
            let layers = layers.iter();
            layers.fold(map.clone(), |x, layer| {
                layer.forward(&x, None, Activation::Relu)
            })
        });
        let joined = reduced.chain(std::iter::once(quantised.values.clone()));
        let latent = through(&self.fuse, Tensor::cat(joined.collect(), 1));
        (latent, quantised)
    }
}

impl Network {
    /// Reconstructs features from what the bottleneck leaves of them.
    ///
    /// # Shapes
    /// `features[s]`: `[batch, channels(s), height(s), width(s)]`, fine to coarse.
    pub fn reconstruct(&self, features: &[Tensor<4>]) -> Output {
        let (latent, quantised) = self.bottleneck.forward(features);
        let mut x = latent.clone();
        let mut outputs = Vec::with_capacity(features.len());
        for blocks in &self.decoder.stage {
            x = through(blocks, x);
            outputs.push(x.clone());
        }
        outputs.reverse();
        Output {
            latent,
            features: outputs,
            quantised,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    #[test]
    fn features_become_the_nearest_code() {
        let device = ckaad_device::cpu();
        let codes = Tensor::<2>::from_floats([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]], &device);
        let x = Tensor::<4>::from_floats([[[[1.5, 0.0]], [[0.5, 2.0]]]], &device);
        let found = quantise(&codes, x);
        assert_eq!(found.picks, [1, 2]);
        assert_eq!(values(found.values), [2.0, 0.0, 0.0, 3.0]);
        // Both distances are the mean of 1/4, 0, 1/4 and 1, once a quarter of it.
        assert!((values(found.loss)[0] - 1.25 * 0.375).abs() < 1e-6);
    }
}
