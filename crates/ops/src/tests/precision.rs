use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex};
use burn::module::Param;
use burn::nn::LinearConfig;
use burn::nn::conv::{ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Device, FloatDType, Tensor, module};

use super::{assert_close, conv, output_and_gradients, values};
use crate::product::{Pass, Product, multiply};
use crate::rounding::Rounding;
use crate::{Activation, FeatureMap, FrozenConv, Precision, conv_transpose2d, conv2d, linear};

/// Euclidean norm of the difference over that of the expected values.
fn relative<const D: usize>(found: Tensor<D>, expected: Tensor<D>) -> f32 {
    let norm = |x: Tensor<D>| x.square().sum().sqrt().into_scalar::<f32>();
    norm(found - expected.clone()) / norm(expected)
}

/// A random start would differ from layer to layer.
fn filled(bias: Param<Tensor<1>>, device: &Device) -> Param<Tensor<1>> {
    bias.map(|bias| values(bias.dims(), 8, device).require_grad())
}

fn transposed(device: &Device) -> ConvTranspose2d {
    let mut layer = ConvTranspose2dConfig::new([12, 9], [2, 2])
        .with_stride([2, 2])
        .init(device);
    layer.weight = layer
        .weight
        .map(|w| values(w.dims(), 3, device).require_grad());
    layer
}

/// Output and gradients of a convolution, a transposed one and a linear layer.
fn all_layers(precision: Precision, rounded: Option<FloatDType>) -> Vec<Vec<Tensor<1>>> {
    let device = Device::flex().autodiff();
    // Values that a coarser format holds stay what they are when rounded to it.
    fn held<const D: usize>(x: Tensor<D>, format: Option<FloatDType>) -> Tensor<D> {
        let x = match format {
            Some(format) => x.cast(format).cast(FloatDType::F32),
            None => x,
        };
        x.detach().require_grad()
    }
    // Outputs are rounded before the bias is added.
    let with_bias = |_: &Param<Tensor<1>>| rounded.is_none();
    let mut layer = conv([12, 20], 3, 2, true, &device);
    layer.weight = layer.weight.map(|w| held(w, rounded));
    layer.bias = layer.bias.filter(with_bias).map(|b| filled(b, &device));
    let x = held(values([2, 12, 9, 7], 5, &device), rounded);
    let y = conv2d(&layer, x.clone(), precision);
    let convolution = output_and_gradients(y, vec![x], [Some(layer.weight.val())]);

    let mut layer = transposed(&device);
    layer.weight = layer.weight.map(|w| held(w, rounded));
    layer.bias = layer.bias.filter(with_bias).map(|b| filled(b, &device));
    let x = held(values([2, 12, 5, 3], 6, &device), rounded);
    let y = conv_transpose2d(&layer, x.clone(), precision);
    let transposed = output_and_gradients(y, vec![x], [Some(layer.weight.val())]);

    let mut layer = LinearConfig::new(12, 7).init(&device);
    layer.weight = layer
        .weight
        .map(|w| held(values(w.dims(), 4, &device), rounded));
    layer.bias = layer.bias.filter(with_bias).map(|b| filled(b, &device));
    let x = held(values([5, 12], 7, &device), rounded);
    let y = linear(&layer, x.clone(), precision);
    let gradients = (y.clone() * values([5, 7], 99, &device)).sum().backward();
    let of = [x, layer.weight.val()].map(|x| x.grad(&gradients).unwrap().flatten(0, 1));
    let linear = std::iter::once(y.inner().flatten(0, 1)).chain(of).collect();
    vec![convolution, transposed, linear]
}

#[test]
fn results_are_off_by_what_the_format_cannot_hold() {
    let exact = all_layers(Precision::F32, None);
    for (precision, unit) in [
        (Precision::Tf32, 1.0 / 2048.0),
        (Precision::Bf16, 1.0 / 256.0),
    ] {
        for (found, expected) in all_layers(precision, None).into_iter().zip(&exact) {
            for (index, (found, expected)) in found.into_iter().zip(expected).enumerate() {
                let error = relative(found, expected.clone());
                let what = format!("{precision}, tensor {index}: {error}");
                assert!(error > 0.1 * unit, "{what}");
                assert!(error < 1.5 * unit, "{what}");
            }
        }
    }
}

#[test]
fn what_the_format_holds_is_multiplied_exactly() {
    // bf16's values are among tf32's; the outputs are sums in single precision.
    let format = Some(FloatDType::BF16);
    let exact = all_layers(Precision::F32, format);
    let tf32 = all_layers(Precision::Tf32, format);
    for (found, expected) in tf32.into_iter().zip(exact.clone()) {
        assert_close(found[0].clone(), expected[0].clone(), "tf32");
    }
    let bf16 = all_layers(Precision::Bf16, format);
    for (found, expected) in bf16.into_iter().zip(exact) {
        let rounded = expected[0].clone().cast(FloatDType::BF16);
        // Sums that fall near the middle between two values may be rounded either way.
        let error = relative(found[0].clone(), rounded.cast(FloatDType::F32));
        assert!(error < 1e-3, "{error}");
    }
}

/// An operator whose kernels round to tf32, as those for CUDA may.
#[derive(Debug, Clone)]
struct OnTensorCores<P>(P);

impl<P: Product> Product for OnTensorCores<P> {
    fn of<B: Backend>(
        &self,
        pass: Pass<FloatTensor<B>>,
        a: FloatTensor<B>,
        b: FloatTensor<B>,
    ) -> FloatTensor<B> {
        Rounding::Tf32.apply::<B>(a, b, |a, b| self.0.of::<B>(pass.clone(), a, b))
    }
}

#[test]
fn split_operands_lose_nothing_on_kernels_that_round() {
    fn check<P: Product>(
        product: P,
        burns: fn(Tensor<4>, Tensor<4>, P) -> Tensor<4>,
        x: [usize; 4],
        weight: [usize; 4],
    ) {
        let device = Device::flex().autodiff();
        let run = |f: &dyn Fn(Tensor<4>, Tensor<4>, P) -> Tensor<4>| {
            let x = values(x, 5, &device).require_grad();
            let weight = values(weight, 6, &device).require_grad();
            let y = f(x.clone(), weight.clone(), product.clone());
            output_and_gradients(y, vec![x], [Some(weight)])
        };
        let exact = run(&burns);
        let rounded =
            run(&|x, weight, product| multiply::<Flex, _>(product, Rounding::Tf32, x, weight));
        let split = run(&|x, weight, product| {
            multiply::<Flex, _>(OnTensorCores(product), Rounding::Split, x, weight)
        });
        for ((rounded, split), exact) in rounded.into_iter().zip(split).zip(exact) {
            let (rounded, split) = (relative(rounded, exact.clone()), relative(split, exact));
            assert!(rounded > 1e-4, "{rounded}");
            assert!(split < 2.0_f32.powi(-20), "{split}");
        }
    }
    let options = ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
    let burns = |x, weight, options| module::conv2d(x, weight, None, options);
    check::<ConvOptions<2>>(options, burns, [2, 12, 9, 7], [20, 12, 3, 3]);
    let options = ConvTransposeOptions::new([2, 2], [0, 0], [0, 0], [1, 1], 1);
    let burns = |x, weight, options| module::conv_transpose2d(x, weight, None, options);
    check(options, burns, [2, 12, 5, 3], [12, 9, 2, 2]);
}

/// What burn's operators make of operands and results rounded to bf16: the imitation, which the kernels must agree with.
#[test]
fn kernels_in_bf16_do_what_burns_operators_do_on_rounded_values() {
    let device = Device::flex().autodiff();
    if Precision::Bf16.is_imitated(&device) {
        eprintln!(
            "SKIPPED in part: this processor multiplies no pairs of bf16, so the kernels multiply rounded floats"
        );
    }
    type Run<'a> = &'a dyn Fn(Tensor<4>) -> Tensor<4>;
    let check = |name: &str, x: [usize; 4], weight: Tensor<4>, kernels: Run, burns: Run| {
        let [found, expected] = [kernels, burns].map(|run| {
            let x = values(x, 5, &device).require_grad();
            let y = run(x.clone());
            output_and_gradients(y, vec![x], [Some(weight.clone())])
        });
        for (index, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            // Sums that fall near the middle between two values may be rounded either way.
            let error = relative(found, expected);
            assert!(error < 5e-4, "{name}, tensor {index}: {error}");
        }
    };
    for (channels, kernel, stride, size) in [
        ([3, 24], 7, 2, [2, 19, 23]),
        ([32, 40], 3, 1, [2, 12, 9]),
        ([20, 33], 3, 2, [3, 9, 6]),
        ([24, 17], 1, 2, [2, 6, 7]),
        ([48, 32], 1, 1, [2, 5, 3]),
        ([70, 32], 3, 1, [2, 4, 4]),
    ] {
        let layer = conv(channels, kernel, stride, true, &device);
        let x = [size[0], channels[0], size[1], size[2]];
        check(
            &format!("{channels:?} {kernel} {stride}"),
            x,
            layer.weight.val(),
            &|x| conv2d(&layer, x, Precision::Bf16),
            &|x| crate::conv::burn_conv2d(&layer, x, Precision::Bf16),
        );
    }
    let layer = transposed(&device);
    check(
        "transposed",
        [2, 12, 5, 3],
        layer.weight.val(),
        &|x| conv_transpose2d(&layer, x, Precision::Bf16),
        &|x| crate::conv::burn_conv_transpose2d(&layer, x, Precision::Bf16),
    );
}

#[test]
fn a_frozen_layer_rounds_as_one_that_learns() {
    let device = Device::flex();
    let layer = conv([16, 24], 3, 1, true, &device);
    let x = values([2, 16, 8, 6], 5, &device);
    for precision in [Precision::Tf32, Precision::Bf16] {
        let frozen = FrozenConv::from(&layer).with_precision(precision);
        let expected = conv2d(&layer, x.clone(), precision);
        let close = |found: Tensor<4>, expected: Tensor<4>| match precision {
            // Sums that fall near the middle between two values may be rounded either way.
            Precision::Bf16 => assert!(relative(found, expected) < 1e-3),
            _ => assert_close(found, expected, &precision.to_string()),
        };
        for map in [FeatureMap::new(x.clone()), FeatureMap::plain(x.clone())] {
            let found = frozen.forward(&map, None, Activation::Identity);
            close(found.to_tensor(), expected.clone());
        }
        let images = frozen.forward_images(x.clone(), Activation::Identity);
        close(images.to_tensor(), expected);
    }
}

#[test]
fn names_are_read_back() {
    for precision in Precision::ALL {
        assert_eq!(precision.to_string().parse(), Ok(precision));
    }
    let error = "fp32".parse::<Precision>().unwrap_err().to_string();
    assert!(error.contains("fp32") && error.contains("tf32"), "{error}");
}
