//! Convolutions and norms of networks that see images.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Activation, Precision, batch_norm, conv2d};

/// The shape of a convolution with a square kernel; zero everywhere until it is filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conv {
    /// In, out.
    pub(crate) channels: [usize; 2],
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
    pub(crate) bias: bool,
}

impl Conv {
    /// With a bias and, for an odd kernel, maps that keep their size.
    pub(crate) const fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            stride: 1,
            padding: kernel / 2,
            dilation: 1,
            bias: true,
        }
    }

    /// Without bias.
    pub(crate) const fn plain(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            bias: false,
            ..Self::new(channels, kernel)
        }
    }

    pub(crate) fn init(self, device: &Device) -> Conv2d {
        let pad = self.padding;
        Conv2dConfig::new(self.channels, [self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_dilation([self.dilation; 2])
            .with_bias(self.bias)
            .with_initializer(Initializer::Zeros)
            .init(device)
    }

    pub(crate) fn init_transposed(self, device: &Device) -> ConvTranspose2d {
        ConvTranspose2dConfig::new(self.channels, [self.kernel; 2])
            .with_stride([self.stride; 2])
            .with_padding([self.padding; 2])
            .with_bias(self.bias)
            .with_initializer(Initializer::Zeros)
            .init(device)
    }

    /// With a batch norm behind it.
    pub(crate) fn normed(self, precision: Precision, device: &Device) -> Normed {
        Normed {
            conv: self.init(device),
            norm: BatchNormConfig::new(self.channels[1]).init(device),
            precision,
        }
    }
}

/// A convolution and a batch norm.
#[derive(Module, Debug)]
pub(crate) struct Normed {
    conv: Conv2d,
    norm: BatchNorm,
    #[module(skip)]
    precision: Precision,
}

impl Normed {
    /// `norm(conv(x))`.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.activated(x, Activation::Identity)
    }

    /// `relu(norm(conv(x)))`.
    pub(crate) fn relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.activated(x, Activation::Relu)
    }

    fn activated(&self, x: Tensor<4>, activation: Activation) -> Tensor<4> {
        let x = conv2d(&self.conv, x, self.precision);
        batch_norm(&self.norm, x, None, activation)
    }
}

/// Two convolutions that keep the size, a batch norm and a ReLU behind each.
#[derive(Module, Debug)]
pub(crate) struct Pair {
    first: Normed,
    second: Normed,
}

impl Pair {
    pub(crate) fn new([a, b, c]: [usize; 3], precision: Precision, device: &Device) -> Self {
        Self {
            first: Conv::new([a, b], 3).normed(precision, device),
            second: Conv::new([b, c], 3).normed(precision, device),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.second.relu(self.first.relu(x))
    }
}
