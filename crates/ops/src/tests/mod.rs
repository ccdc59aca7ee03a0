//! Every operator against burn's own, values and gradients.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod adam;
mod operators;
mod precision;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor, TensorData};

/// Pseudo-random values in [-1, 1).
fn values<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    let mut state = seed.wrapping_mul(2_654_435_761) + 1;
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn assert_close<const D: usize>(found: Tensor<D>, expected: Tensor<D>, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let expected = expected.detach();
    let scale = expected.clone().square().sum().sqrt().into_scalar::<f32>();
    let error = (found.detach() - expected)
        .square()
        .sum()
        .sqrt()
        .into_scalar::<f32>();
    assert!(
        error <= 3e-6 * scale.max(1e-3),
        "{what}: {error} of {scale}"
    );
}

/// The output, and the gradients of a weighted sum of it with respect to the given tensors, all flattened.
fn output_and_gradients<const N: usize>(
    y: Tensor<4>,
    of_inputs: Vec<Tensor<4>>,
    of_parameters: [Option<Tensor<4>>; N],
) -> Vec<Tensor<1>> {
    let weights = values(y.dims(), 99, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let of = of_inputs
        .into_iter()
        .chain(of_parameters.into_iter().flatten());
    let of = of.map(|x| x.grad(&gradients).unwrap().flatten(0, 3));
    std::iter::once(y.inner().flatten(0, 3)).chain(of).collect()
}

fn assert_all_close(found: Vec<Tensor<1>>, expected: Vec<Tensor<1>>, what: &str) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.into_iter().zip(expected).enumerate() {
        assert_close(found, expected, &format!("{what}, tensor {index}"));
    }
}

fn conv(channels: [usize; 2], kernel: usize, stride: usize, bias: bool, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    let mut conv = Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(bias)
        .init(device);
    conv.weight = conv.weight.map(|w| {
        let filled = values(w.dims(), 3, device);
        if device.is_autodiff() {
            filled.require_grad()
        } else {
            filled
        }
    });
    conv
}
