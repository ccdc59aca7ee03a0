use burn::tensor::{Device, Tensor};

use super::{assert_close, values};
use crate::Adam;

/// Three steps of the kernel against burn's own optimizer; the kernel's values are burn's, bit for bit.
#[test]
fn adam_equals_burns() {
    use burn::module::Param;
    use burn::nn::Linear;
    use burn::optim::{AdamConfig, GradientsParams};

    let device = Device::default();
    let weight = values([300, 70], 1, &device);
    let learning = device.clone().autodiff();
    let mut module = Linear {
        weight: Param::from_tensor(Tensor::from_data(weight.to_data(), &learning).require_grad()),
        bias: None,
    };
    let mut optimizer = AdamConfig::new().with_beta_1(0.5).with_epsilon(1e-8).init();
    let adam = Adam {
        beta_1: 0.5,
        beta_2: 0.999,
        epsilon: 1e-8,
    };
    let (mut parameter, mut moments) = (weight, None);
    for time in 1..=3 {
        let towards = values([300, 70], 1 + time as u32, &device);
        let loss = module.weight.val() * Tensor::from_inner(towards.clone());
        let gradients = GradientsParams::from_grads(loss.sum().backward(), &module);
        module = optimizer.step(1e-3, module, gradients);
        let (new, new_moments) = adam.step(1e-3, time, parameter, towards, moments);
        (parameter, moments) = (new, Some(new_moments));
        let expected = module.weight.val().inner().to_data();
        assert_eq!(parameter.to_data(), expected, "step {time}");
    }
}

#[test]
fn adam_by_operators_equals_the_kernel() {
    let device = Device::default();
    let tensor = |seed| values([40, 30], seed, &device);
    let moments = Some([tensor(3), tensor(4).square()]);
    let adam = Adam {
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-6,
    };
    let (parameter, [first, second]) = adam.step(0.01, 7, tensor(1), tensor(2), moments.clone());
    // Double precision is left to the operators.
    let double = |tensor: Tensor<2>| tensor.cast(burn::tensor::DType::F64);
    let moments = moments.map(|moments| moments.map(double));
    let (by_operators, [a, b]) = adam.step(0.01, 7, double(tensor(1)), double(tensor(2)), moments);
    for (kernel, operators) in [(parameter, by_operators), (first, a), (second, b)] {
        let operators = operators.cast(burn::tensor::DType::F32);
        assert_close(kernel, operators, "Adam");
    }
}
