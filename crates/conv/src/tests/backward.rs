//! Gradients, and the transposed convolution that is one of them.

use super::reference::{CASES, convolution, gradients, on_threads, relative_error, values};
use crate::isa::Isa;
use crate::{Activation, Blocked, Conv2d, ConvTranspose2d, Convolution};

#[test]
fn gradients_agree_with_f64() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let input = values(size.iter().product::<usize>() * conv.c_in, 1);
        let weight = values(conv.weight_len(), 2);
        let grad = values(
            size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2]),
            3,
        );
        let (exact_input, exact_weight) = gradients(&conv, size, &input, &weight, &grad);
        for isa in Isa::all() {
            let conv = conv.with_isa(isa);
            let mut input_grad = vec![f32::NAN; input.len()];
            on_threads(2, || conv.input_grad(&grad, size, &weight, &mut input_grad));
            let error = relative_error(&input_grad, &exact_input);
            assert!(error < 3e-6, "input of {case:?} on {isa:?}: {error:e}");
            let mut weight_grad = vec![f32::NAN; weight.len()];
            on_threads(2, || {
                conv.weight_grad(&input, size, &grad, &mut weight_grad)
            });
            let error = relative_error(&weight_grad, &exact_weight);
            assert!(error < 3e-6, "weight of {case:?} on {isa:?}: {error:e}");
            let mut both = (vec![f32::NAN; input.len()], vec![f32::NAN; weight.len()]);
            conv.backward(&input, size, &weight, &grad, &mut both.0, &mut both.1);
            assert_eq!(both, (input_grad, weight_grad));
        }
    }
}

/// Channels in and out, kernel, batch, height, width.
const TRANSPOSED: &[[usize; 6]] = &[
    [16, 32, 2, 1, 4, 4],
    [33, 20, 2, 3, 5, 7],
    [64, 48, 2, 2, 8, 8],
    [5, 3, 3, 2, 3, 2],
];

#[test]
fn the_transposed_convolution_is_the_adjoint_of_its_convolution() {
    for &[c_in, c_out, kernel, batch, height, width] in TRANSPOSED {
        let adjoint = Conv2d::new(c_out, c_in, kernel, kernel, 0);
        let large = [batch, height * kernel, width * kernel];
        let input = values(batch * c_in * height * width, 4);
        let weight = values(adjoint.weight_len(), 5);
        let grad = values(batch * c_out * large[1] * large[2], 6);
        let bias = values(c_out, 7);
        let (mut exact_output, exact_weight) = gradients(&adjoint, large, &grad, &weight, &input);
        for (i, value) in exact_output.iter_mut().enumerate() {
            *value += f64::from(bias[i / (large[1] * large[2]) % c_out]);
        }
        let exact_input = super::reference::forward(&adjoint, large, &grad, &weight);
        for isa in Isa::all() {
            let transposed = ConvTranspose2d::new(c_in, c_out, kernel).with_isa(isa);
            let size = [batch, height, width];
            let mut output = vec![f32::NAN; exact_output.len()];
            transposed.forward(&input, size, &weight, Some(&bias), &mut output);
            assert!(relative_error(&output, &exact_output) < 1e-6);
            let blocked = Blocked::from_nchw(&input, batch, c_in, height, width);
            let mut packed = vec![f32::NAN; exact_output.len()];
            transposed
                .pack(&weight, Some(&bias))
                .forward(&blocked, None, Activation::Identity)
                .to_nchw(&mut packed);
            assert_eq!(output, packed);
            let mut input_grad = vec![f32::NAN; input.len()];
            transposed.input_grad(&grad, size, &weight, &mut input_grad);
            assert!(relative_error(&input_grad, &exact_input) < 1e-6);
            let mut weight_grad = vec![f32::NAN; weight.len()];
            transposed.weight_grad(&input, size, &grad, &mut weight_grad);
            assert!(relative_error(&weight_grad, &exact_weight) < 1e-6);
            let mut both = (vec![f32::NAN; input.len()], vec![f32::NAN; weight.len()]);
            transposed.backward(&input, size, &weight, &grad, &mut both.0, &mut both.1);
            assert_eq!(both, (input_grad, weight_grad));
        }
    }
}

#[test]
fn the_same_input_gives_the_same_gradient_bits_on_any_number_of_threads() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let input = values(size.iter().product::<usize>() * conv.c_in, 7);
        let weight = values(conv.weight_len(), 8);
        let grad = values(
            size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2]),
            9,
        );
        let run = |threads: usize| {
            let (mut input_grad, mut weight_grad) =
                (vec![0.0; input.len()], vec![0.0; weight.len()]);
            on_threads(threads, || {
                conv.input_grad(&grad, size, &weight, &mut input_grad);
                conv.weight_grad(&input, size, &grad, &mut weight_grad);
            });
            let bits: Vec<u32> = input_grad
                .iter()
                .chain(&weight_grad)
                .map(|x| x.to_bits())
                .collect();
            bits
        };
        assert_eq!(run(2), run(2), "{case:?}");
        assert_eq!(run(3), run(1), "{case:?}");
    }
}
