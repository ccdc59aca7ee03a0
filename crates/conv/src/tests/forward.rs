//! Forward passes.

use super::reference::{CASES, convolution, forward, on_threads, relative_error, values};
use crate::isa::Isa;
use crate::{Activation, Algorithm, Blocked, Conv2d, Convolution};

#[test]
fn every_shape_and_instruction_set_agrees_with_f64() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let input = values(size.iter().product::<usize>() * conv.c_in, 1);
        let weight = values(conv.weight_len(), 2);
        let exact = forward(&conv, size, &input, &weight);
        for isa in Isa::all() {
            let conv = conv.with_isa(isa);
            let mut output = vec![f32::NAN; exact.len()];
            on_threads(2, || conv.forward(&input, size, &weight, None, &mut output));
            let error = relative_error(&output, &exact);
            assert!(error < 3e-6, "{case:?} on {isa:?}: {error:e}");
        }
    }
}

#[test]
fn bias_residual_and_relu_follow_in_that_order() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let input = values(size.iter().product::<usize>() * conv.c_in, 3);
        let (weight, bias) = (values(conv.weight_len(), 4), values(conv.c_out, 5));
        let mut exact = forward(&conv, size, &input, &weight);
        let residual = values(exact.len(), 6);
        let (out_h, out_w) = (conv.output(size[1]), conv.output(size[2]));
        for (i, value) in exact.iter_mut().enumerate() {
            let channel = i / (out_h * out_w) % conv.c_out;
            *value = (*value + f64::from(bias[channel]) + f64::from(residual[i])).max(0.0);
        }
        for isa in Isa::all() {
            let conv = conv.with_isa(isa);
            let blocked = Blocked::from_nchw(&input, size[0], conv.c_in, size[1], size[2]);
            let residual = Blocked::from_nchw(&residual, size[0], conv.c_out, out_h, out_w);
            let mut output = vec![f32::NAN; exact.len()];
            let packed = conv.pack(&weight, Some(&bias));
            packed
                .forward(&blocked, Some(&residual), Activation::Relu)
                .to_nchw(&mut output);
            let error = relative_error(&output, &exact);
            assert!(error < 3e-6, "{case:?} on {isa:?}: {error:e}");
        }
    }
}

#[test]
fn winograd_and_direct_agree() {
    let conv = Conv2d::new(256, 256, 3, 1, 1);
    let input: Vec<f32> = values(256 * 16 * 16, 7)
        .into_iter()
        .map(|x| x.max(0.0))
        .collect();
    let weight = values(conv.weight_len(), 8);
    let run = |algorithm| {
        let packed = conv.pack_for(algorithm, &weight, None);
        let mut output = vec![0.0; 256 * 16 * 16];
        packed
            .forward_nchw(&input, [1, 16, 16], Activation::Identity)
            .to_nchw(&mut output);
        output
    };
    let direct: Vec<f64> = run(Algorithm::Direct).into_iter().map(f64::from).collect();
    let error = relative_error(&run(Algorithm::Winograd), &direct);
    assert!(error < 3e-6, "{error:e}");
}

#[test]
fn the_same_input_gives_the_same_bits_on_any_number_of_threads() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let input = values(size.iter().product::<usize>() * conv.c_in, 9);
        let weight = values(conv.weight_len(), 10);
        let run = |threads: usize| {
            let len = size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2]);
            let mut output = vec![0.0; len];
            on_threads(threads, || {
                conv.forward(&input, size, &weight, None, &mut output)
            });
            output.into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        };
        assert_eq!(run(2), run(2), "{case:?}");
        assert_eq!(run(3), run(1), "{case:?}");
    }
}

#[test]
fn not_a_number_is_not_hidden() {
    let conv = Conv2d::new(16, 16, 3, 1, 1);
    let mut input = vec![0.0; 16 * 64];
    input[0] = f32::NAN;
    let packed = conv.pack(&values(conv.weight_len(), 1), None);
    let mut output = vec![0.0; 16 * 64];
    packed
        .forward_nchw(&input, [1, 8, 8], Activation::Relu)
        .to_nchw(&mut output);
    assert!(output[0].is_nan());
}
