//! What stands in for the kernels where none are compiled in: nothing is ever covered.

use std::convert::Infallible;

use burn::nn::InstanceNorm;
use burn::tensor::Tensor;

use crate::Activation;
use crate::frozen::Layer;

/// Maps in a layout of kernels: there are none. The field is private so that callers need not know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocked(Infallible);

#[derive(Debug)]
pub(crate) struct Packed(Blocked);

impl Packed {
    pub(crate) fn forward(&self, _: &Blocked, _: Option<&Blocked>, _: Activation) -> Blocked {
        self.0
    }
    pub(crate) fn forward_images(&self, _: &Tensor<4>, _: Activation) -> Option<Blocked> {
        Some(self.0)
    }
}

pub(crate) fn takes(_: &Tensor<4>) -> bool {
    false
}
pub(crate) fn is_direct(_: &Layer, _: usize, _: bool) -> bool {
    false
}
pub(crate) fn block(_: &Tensor<4>) -> Option<Blocked> {
    None
}
pub(crate) fn unblock(x: &Blocked) -> Tensor<4> {
    match x.0 {}
}
pub(crate) fn dims(x: &Blocked) -> [usize; 4] {
    match x.0 {}
}
pub(crate) fn max_pool(x: &Blocked, _: usize, _: usize, _: usize) -> Blocked {
    *x
}
pub(crate) fn concatenate(_: &[&Blocked]) -> Option<Blocked> {
    None
}
pub(crate) fn cosine_distance(a: &Blocked, _: &Blocked, _: f32) -> Vec<f32> {
    match a.0 {}
}
pub(crate) fn pack(_: &Layer, _: bool, _: bool) -> Option<Packed> {
    None
}
pub(crate) fn norm_values(_: &InstanceNorm) -> Option<[Vec<f32>; 2]> {
    None
}
pub(crate) fn instance_norm(
    x: Blocked,
    _: [&[f32]; 2],
    _: f64,
    _: Option<&Blocked>,
    _: Activation,
) -> Blocked {
    x
}
