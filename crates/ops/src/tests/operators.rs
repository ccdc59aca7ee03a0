use burn::module::Param;
use burn::nn::conv::{ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{InstanceNorm, InstanceNormConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use ckaad_conv::Isa;

use super::{assert_all_close, assert_close, conv, output_and_gradients, values};
use crate::{
    Activation, FeatureMap, FrozenConv, Precision, conv_transpose2d, conv2d, instance_norm,
    leaky_relu, normalise_channels, sum_of_squares,
};

/// Output, and gradients with respect to input, weight and bias.
fn run_layer(
    f: &dyn Fn(Tensor<4>) -> Tensor<4>,
    x: Tensor<4>,
    weight: &Param<Tensor<4>>,
    bias: Option<&Param<Tensor<1>>>,
) -> Vec<Tensor<1>> {
    let y = f(x.clone());
    let weights = values(y.dims(), 99, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let mut all = vec![
        y.inner().flatten(0, 3),
        x.grad(&gradients).unwrap().flatten(0, 3),
        weight.val().grad(&gradients).unwrap().flatten(0, 3),
    ];
    all.extend(bias.map(|bias| bias.val().grad(&gradients).unwrap()));
    all
}

/// What tests are run with in a process of their own by [`portable_kernels_are_declined`].
const PORTABLE: [(&str, &str); 2] = [("CKAAD_CONV_ISA", "portable"), ("CKAAD_OPS_TEST", "1")];

/// Elsewhere the kernels take such a tensor, here they must not.
#[test]
fn a_tensor_on_the_cpu_is_covered_by_fast_kernels_alone() {
    let x = values([1, 3, 4, 4], 1, &Device::flex());
    let portable = std::env::var(PORTABLE[1].0).is_ok();
    let fast = !portable && Isa::best() > Isa::Portable;
    assert_eq!(crate::flex::covers(&x), fast);
}

#[test]
fn portable_kernels_are_declined() {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::operators::a_tensor_on_the_cpu_is_covered_by_fast_kernels_alone",
        ])
        .envs(PORTABLE)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_convolution_is_burns_in_values_and_gradients() {
    let device = Device::flex().autodiff();
    for (channels, kernel, stride, size) in [
        ([3, 8], 7, 2, [2, 19, 23]),
        ([16, 32], 3, 1, [1, 8, 8]),
        ([5, 18], 3, 1, [3, 7, 11]),
        ([17, 33], 3, 2, [2, 9, 6]),
        ([24, 7], 1, 1, [2, 5, 3]),
        ([6, 12], 1, 2, [4, 6, 7]),
        ([32, 1], 1, 1, [3, 4, 4]),
        ([16, 24], 2, 1, [2, 6, 5]),
    ] {
        for bias in [false, true] {
            let layer = conv(channels, kernel, stride, bias, &device);
            let x = || values([size[0], channels[0], size[1], size[2]], 5, &device).require_grad();
            let run = |f: &dyn Fn(Tensor<4>) -> Tensor<4>| {
                run_layer(f, x(), &layer.weight, layer.bias.as_ref())
            };
            assert_all_close(
                run(&|x| conv2d(&layer, x, Precision::F32)),
                run(&|x| layer.forward(x)),
                &format!("{channels:?} {kernel} {stride} {size:?} bias {bias}"),
            );
        }
    }
}

#[test]
fn nobody_pays_for_a_gradient_that_is_not_wanted() {
    let device = Device::flex().autodiff();
    let layer = conv([8, 16], 3, 1, false, &device);
    // A constant input, as frozen features are: only the weights learn.
    let constant: Tensor<4> = values([2, 8, 6, 6], 5, &Device::flex());
    let weight = || Some(layer.weight.val());
    assert_all_close(
        output_and_gradients(
            conv2d(&layer, constant.clone(), Precision::F32),
            vec![],
            [weight()],
        ),
        output_and_gradients(layer.forward(constant), vec![], [weight()]),
        "constant input",
    );
    // A frozen layer: only the input learns.
    let frozen = {
        use burn::module::Module;
        layer.clone().no_grad()
    };
    let x = || values([2, 8, 6, 6], 5, &device).require_grad();
    let (ours, burns) = (x(), x());
    assert_all_close(
        output_and_gradients::<0>(
            conv2d(&frozen, ours.clone(), Precision::F32),
            vec![ours],
            [],
        ),
        output_and_gradients::<0>(frozen.forward(burns.clone()), vec![burns], []),
        "frozen layer",
    );
}

#[test]
fn a_transposed_convolution_is_burns_in_values_and_gradients() {
    let device = Device::flex().autodiff();
    for (channels, kernel, size) in [
        ([16, 32], 2, [1, 4, 4]),
        ([7, 5], 2, [3, 3, 5]),
        ([20, 33], 3, [2, 2, 3]),
    ] {
        for bias in [false, true] {
            let mut layer: ConvTranspose2d = ConvTranspose2dConfig::new(channels, [kernel, kernel])
                .with_stride([kernel, kernel])
                .with_bias(bias)
                .init(&device);
            layer.weight = layer
                .weight
                .map(|w| values(w.dims(), 3, &device).require_grad());
            let x = || values([size[0], channels[0], size[1], size[2]], 5, &device).require_grad();
            let run = |f: &dyn Fn(Tensor<4>) -> Tensor<4>| {
                run_layer(f, x(), &layer.weight, layer.bias.as_ref())
            };
            let what = format!("{channels:?} {kernel} {size:?} bias {bias}");
            let burns = run(&|x| layer.forward(x));
            let frozen = FrozenConv::from(&layer);
            let map = FeatureMap::new(x().inner());
            let frozen = frozen.forward(&map, None, Activation::Identity);
            assert_close(frozen.to_tensor().flatten(0, 3), burns[0].clone(), &what);
            let ours = run(&|x| conv_transpose2d(&layer, x, Precision::F32));
            assert_all_close(ours, burns, &what);
        }
    }
}

fn norm(channels: usize, device: &Device) -> InstanceNorm {
    let mut layer = InstanceNormConfig::new(channels).init(device);
    let fill = |seed| values([channels], seed, device).require_grad();
    layer.gamma = layer.gamma.map(|gamma| gamma.map(|_| fill(3)));
    layer.beta = layer.beta.map(|beta| beta.map(|_| fill(4)));
    layer
}

#[test]
fn an_instance_norm_is_burns_in_values_and_gradients() {
    let device = Device::flex().autodiff();
    for shape in [[2, 16, 8, 8], [3, 5, 7, 3], [1, 1, 2, 2]] {
        for activation in [Activation::Identity, Activation::Relu] {
            for with_residual in [false, true] {
                let layer = norm(shape[1], &device);
                let run = |f: &dyn Fn(Tensor<4>, Option<Tensor<4>>) -> Tensor<4>| {
                    let x = (values(shape, 5, &device) * 3.0 + 1.0)
                        .detach()
                        .require_grad();
                    let residual = with_residual.then(|| values(shape, 6, &device).require_grad());
                    let y = f(x.clone(), residual.clone());
                    let weights = values(y.dims(), 99, &device);
                    let gradients = (y.clone() * weights).sum().backward();
                    let mut all = vec![
                        y.inner().flatten(0, 3),
                        x.grad(&gradients).unwrap().flatten(0, 3),
                    ];
                    all.extend(residual.map(|r| r.grad(&gradients).unwrap().flatten(0, 3)));
                    for parameter in [&layer.gamma, &layer.beta] {
                        let parameter = parameter.as_ref().unwrap().val();
                        all.push(parameter.grad(&gradients).unwrap());
                    }
                    all
                };
                let burns = |x: Tensor<4>, residual: Option<Tensor<4>>| {
                    let y = layer.forward(x);
                    let y = match residual {
                        Some(residual) => y + residual,
                        None => y,
                    };
                    match activation {
                        Activation::Identity => y,
                        Activation::Relu => relu(y),
                    }
                };
                assert_all_close(
                    run(&|x, residual| instance_norm(&layer, x, residual, activation)),
                    run(&burns),
                    &format!("{shape:?} {activation:?} residual {with_residual}"),
                );
            }
        }
    }
}

#[test]
fn an_instance_norm_without_scale_and_shift_is_burns() {
    let device = Device::flex().autodiff();
    let layer = InstanceNormConfig::new(5).with_affine(false).init(&device);
    let run = |f: &dyn Fn(Tensor<4>) -> Tensor<4>| {
        let x = values([3, 5, 4, 6], 5, &device) * 3.0 + 1.0;
        let x = x.detach().require_grad();
        let y = f(x.clone());
        let weights = values(y.dims(), 99, &device);
        let gradients = (y.clone() * weights).sum().backward();
        let gradient = x.grad(&gradients).unwrap();
        vec![y.inner().flatten(0, 3), gradient.flatten(0, 3)]
    };
    let ours = |x: Tensor<4>| instance_norm(&layer, x, None, Activation::Identity);
    assert_all_close(run(&ours), run(&|x| layer.forward(x)), "no scale");
    let x = values([1, 5, 4, 6], 5, &Device::flex());
    if Isa::best() > Isa::Portable {
        assert!(crate::flex::instance_norm(&layer, &x, None, Activation::Identity).is_some());
    }
}

#[test]
fn views_are_taken_too() {
    let device = Device::flex();
    let layer = conv([8, 16], 3, 1, true, &device);
    let turned: Tensor<4> = values([2, 6, 5, 8], 5, &device).permute([0, 3, 1, 2]);
    assert_close(
        conv2d(&layer, turned.clone(), Precision::F32),
        layer.forward(turned),
        "a view",
    );
    let part = values([4, 8, 6, 6], 5, &device).slice_dim(0, 1..3);
    assert_close(
        conv2d(&layer, part.clone(), Precision::F32),
        layer.forward(part),
        "a part",
    );
}

#[test]
fn normalisation_and_leaky_relu_are_burns_in_values_and_gradients() {
    let device = Device::flex().autodiff();
    for shape in [[2, 16, 8, 8], [3, 5, 13, 11], [1, 2, 1, 1]] {
        let x = || values(shape, 5, &device).require_grad();
        let (ours, burns) = (x(), x());
        let norm = |x: Tensor<4>| x.square().sum_dim(1).clamp_min(1e-24).sqrt();
        assert_all_close(
            output_and_gradients::<0>(normalise_channels(ours.clone()), vec![ours], []),
            output_and_gradients::<0>(burns.clone() / norm(burns.clone()), vec![burns], []),
            &format!("normalisation {shape:?}"),
        );
        let (ours, burns) = (x(), x());
        assert_all_close(
            output_and_gradients::<0>(leaky_relu(ours.clone() * 1.0, 0.1), vec![ours], []),
            output_and_gradients::<0>(
                burn::tensor::activation::leaky_relu(burns.clone() * 1.0, 0.1),
                vec![burns],
                [],
            ),
            &format!("leaky ReLU {shape:?}"),
        );
    }
    // Its input is not overwritten while somebody else holds it.
    let x: Tensor<4> = values([1, 2, 3, 4], 5, &Device::flex());
    let before = x.clone().into_data();
    let _ = leaky_relu(x.clone(), 0.1);
    x.into_data().assert_eq(&before, true);
}

#[test]
fn sums_of_squares_equal_burns() {
    let device = Device::default();
    for shape in [[1, 7], [33, 1024], [257, 129]] {
        let x = values(shape, 5, &device);
        let expected = x.clone().square().sum();
        let close = |found: Tensor<1>| assert_close(found, expected.clone(), "sum of squares");
        close(sum_of_squares(x.clone()));
        close(sum_of_squares(x.transpose()));
    }
}
