//! Frozen layers on memory of the CPU backend.

use std::fmt;

use burn::nn::InstanceNorm;
use burn::tensor::{Device, Tensor};
use ckaad_conv::{Blocked as Maps, PackedConv2d, PackedConvTranspose2d};

use super::conv::{is_tiny_map, kernel, transposed_kernel};
use super::operands::{Operands, from_values, operands, plain, slice};
use crate::Activation;
use crate::frozen::Layer;

/// Channels of the widest layers that are computed directly: Winograd makes whole networks no faster there (a ResNet's
/// first stage), and its rounding errors would pass through every later layer.
const NARROW: usize = 64;

/// Pixels of the largest maps, and products of channels above which 3x3 convolutions in bf16 are computed directly there: reading so
/// many weights takes longer than multiplying them, and Winograd's are floats.
const SMALL: usize = 64;
const HEAVY: usize = 256 * 256;

/// Maps in the blocked layout.
#[derive(Clone)]
pub(crate) struct Blocked(Maps);

impl fmt::Debug for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Blocked").field(&self.0.shape()).finish()
    }
}

/// Packed weights.
pub(crate) enum Packed {
    Plain(PackedConv2d),
    Transposed(PackedConvTranspose2d),
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packed")
    }
}

impl Packed {
    pub(crate) fn forward(
        &self,
        x: &Blocked,
        residual: Option<&Blocked>,
        activation: Activation,
    ) -> Blocked {
        let residual = residual.map(|residual| &residual.0);
        let activation = activation.into();
        Blocked(rayon::scope(|_| match self {
            Self::Plain(conv) => conv.forward(&x.0, residual, activation),
            Self::Transposed(conv) => conv.forward(&x.0, residual, activation),
        }))
    }

    /// From contiguous images; `None` for a transposed convolution.
    pub(crate) fn forward_images(&self, x: &Tensor<4>, activation: Activation) -> Option<Blocked> {
        let [batch, channels, height, width] = x.dims();
        match (self, contents(x)?) {
            (Self::Plain(conv), x) if conv.conv().c_in == channels => {
                let size = [batch, height, width];
                let values = slice(&x);
                Some(Blocked(rayon::scope(|_| {
                    conv.forward_nchw(values, size, activation.into())
                })))
            }
            _ => None,
        }
    }
}

impl From<Activation> for ckaad_conv::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Identity => Self::Identity,
            Activation::Relu => Self::Relu,
        }
    }
}

fn contents<const D: usize>(x: &Tensor<D>) -> Option<burn::backend::flex::FlexTensor> {
    match operands([x.clone().into_dispatch()])? {
        Operands::Plain([x]) => Some(x),
        Operands::Tracked(_) => None,
    }
}

/// Whether the kernels run on this tensor.
pub(crate) fn takes(x: &Tensor<4>) -> bool {
    x.device() == Device::flex() && contents(x).is_some()
}

/// Whether a layer is computed without Winograd on maps of so many pixels, however many there are.
pub(crate) fn is_direct(layer: &Layer, pixels: usize, bf16: bool) -> bool {
    let Layer::Plain(layer) = layer else {
        return false;
    };
    let [c_out, c_in, _, _] = layer.weight.dims();
    let heavy = bf16 && pixels <= SMALL && c_in * c_out > HEAVY;
    c_in <= NARROW || is_tiny_map(pixels) || heavy
}

pub(crate) fn block(x: &Tensor<4>) -> Option<Blocked> {
    let [batch, channels, height, width] = x.dims();
    if batch * channels * height * width == 0 {
        return None;
    }
    let x = contents(x)?;
    let values = slice(&x);
    Some(Blocked(rayon::scope(|_| {
        Maps::from_nchw(values, batch, channels, height, width)
    })))
}

pub(crate) fn unblock(x: &Blocked) -> Tensor<4> {
    let shape = x.0.shape();
    let mut values = vec![0.0; shape.iter().product()];
    rayon::scope(|_| x.0.to_nchw(&mut values));
    plain(from_values(values, shape))
}

pub(crate) fn dims(x: &Blocked) -> [usize; 4] {
    x.0.shape()
}

pub(crate) fn max_pool(x: &Blocked, kernel: usize, stride: usize, padding: usize) -> Blocked {
    Blocked(rayon::scope(|_| x.0.max_pool(kernel, stride, padding)))
}

/// `None` if a map other than the last would leave a gap.
pub(crate) fn concatenate(maps: &[&Blocked]) -> Option<Blocked> {
    let (_, firsts) = maps.split_last()?;
    let maps: Vec<&Maps> = maps.iter().map(|map| &map.0).collect();
    firsts
        .iter()
        .all(|map| map.0.channels().is_multiple_of(ckaad_conv::BLOCK))
        .then(|| Blocked(Maps::concatenate(&maps)))
}

pub(crate) fn cosine_distance(a: &Blocked, b: &Blocked, smallest: f32) -> Vec<f32> {
    rayon::scope(|_| a.0.cosine_distance(&b.0, smallest))
}

pub(crate) fn pack(layer: &Layer, direct: bool, bf16: bool) -> Option<Packed> {
    let (weight, bias) = match layer {
        Layer::Plain(layer) => (&layer.weight, &layer.bias),
        Layer::Transposed(layer) => (&layer.weight, &layer.bias),
    };
    let weight = contents(&weight.val().inner_or_self())?;
    let bias = match bias {
        Some(bias) => Some(contents(&bias.val().inner_or_self())?),
        None => None,
    };
    let (weight, bias) = (slice(&weight), bias.as_ref().map(slice));
    match layer {
        Layer::Plain(layer) => {
            let conv = kernel(layer, bf16)?;
            let conv = if direct {
                conv.without_winograd()
            } else {
                conv
            };
            Some(Packed::Plain(conv.pack(weight, bias)))
        }
        Layer::Transposed(layer) => {
            let conv = transposed_kernel(layer, bf16)?;
            Some(Packed::Transposed(conv.pack(weight, bias)))
        }
    }
}

pub(crate) fn norm_values(layer: &InstanceNorm) -> Option<[Vec<f32>; 2]> {
    let gamma = contents(&layer.gamma.as_ref()?.val().inner_or_self())?;
    let beta = contents(&layer.beta.as_ref()?.val().inner_or_self())?;
    Some([slice(&gamma).to_vec(), slice(&beta).to_vec()])
}

pub(crate) fn instance_norm(
    x: Blocked,
    [scale, shift]: [&[f32]; 2],
    epsilon: f64,
    residual: Option<&Blocked>,
    activation: Activation,
) -> Blocked {
    let residual = residual.map(|residual| &residual.0);
    Blocked(rayon::scope(|_| {
        x.0.instance_norm(scale, shift, epsilon as f32, residual, activation.into())
    }))
}

/// A parameter without the gradients it may track.
trait InnerOrSelf {
    fn inner_or_self(self) -> Self;
}

impl<const D: usize> InnerOrSelf for Tensor<D> {
    fn inner_or_self(self) -> Self {
        if self.device().is_autodiff() {
            self.inner()
        } else {
            self
        }
    }
}
