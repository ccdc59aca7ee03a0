//! What gives back the features of one encoder from those of the other.

use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};
use ckaad_auto_encoder::{AutoEncoder, AutoEncoderConfig};
use ckaad_ops::{Precision, conv2d};
use ckaad_parameters::Initialisation;

/// The shape of a [`Decoder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecoderConfig {
    /// Channels of the features at every scale, fine to coarse.
    pub channels: Vec<usize>,
    /// What both encoders' features go through; everything multiplies as it does.
    pub student: AutoEncoderConfig,
}

/// One 1x1 convolution for every scale.
#[derive(Module, Debug)]
pub(super) struct Outputs {
    pub(super) scales: Vec<Conv2d>,
}

/// An auto-encoder that both encoders' features go through, and output convolutions of each.
#[derive(Module, Debug)]
pub struct Decoder {
    pub(super) student: AutoEncoder,
    /// Behind what the encoder that learns sees.
    pub(super) for_frozen: Outputs,
    /// Behind what the frozen encoder sees.
    pub(super) for_trained: Outputs,
    #[module(skip)]
    pub(super) precision: Precision,
}

impl DecoderConfig {
    /// Starting values by `seed`: the output convolutions Kaiming uniform, the student [its own](AutoEncoderConfig::init).
    ///
    /// # Panics
    /// As [`AutoEncoderConfig::init`].
    pub fn init(&self, seed: u64, device: &Device) -> Decoder {
        let decoder = Initialisation::FanInUniform.fill(self.zeros(device), seed);
        Decoder {
            student: self.student.init(seed, device),
            ..decoder
        }
    }

    /// The same network with its convolutions zero, to be filled from a file.
    ///
    /// # Panics
    /// As [`AutoEncoderConfig::zeros`].
    pub fn zeros(&self, device: &Device) -> Decoder {
        let outputs = || {
            let conv = |&channels: &usize| {
                Conv2dConfig::new([channels, channels], [1, 1])
                    .with_initializer(Initializer::Zeros)
                    .init(device)
            };
            Outputs {
                scales: self.channels.iter().map(conv).collect(),
            }
        };
        Decoder {
            student: self.student.zeros(device),
            for_frozen: outputs(),
            for_trained: outputs(),
            precision: self.student.precision,
        }
    }
}

impl Decoder {
    /// The frozen encoder's features from those of the encoder that learns, and the other way round. Batch norms see both at once.
    ///
    /// # Shapes
    /// `trained`, `frozen` and both outputs as [`AutoEncoder::forward`], of as many images each.
    pub fn forward(&self, trained: &[Tensor<4>], frozen: &[Tensor<4>]) -> [Vec<Tensor<4>>; 2] {
        let both: Vec<Tensor<4>> = trained
            .iter()
            .zip(frozen)
            .map(|(trained, frozen)| Tensor::cat(vec![trained.clone(), frozen.clone()], 0))
            .collect();
        let decoded = self.student.forward(&both);
        let half = |outputs: &Outputs, half: usize| {
            let scales = outputs.scales.iter().zip(&decoded);
            let output = |(conv, decoded): (&Conv2d, &Tensor<4>)| {
                let images = decoded.dims()[0] / 2;
                let decoded = decoded.clone().narrow(0, half * images, images);
                conv2d(conv, decoded, self.precision)
            };
            scales.map(output).collect()
        };
        [half(&self.for_frozen, 0), half(&self.for_trained, 1)]
    }
}
