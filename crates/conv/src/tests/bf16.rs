//! Products of bf16 against products in f64 of operands rounded to it.

use super::reference::{
    CASES, convolution, forward, gradients, on_threads, relative_error, values,
};
use crate::isa::{Isa, Multiplier};
use crate::simd::nearest_bf16;
use crate::{Activation, Blocked, Conv2d, ConvTranspose2d, Convolution, pairs};

/// How far a sum in single precision may be off, relative to the sum of its terms' magnitudes: sixteen units in the last place.
/// Winograd's algorithm adds up more than its terms.
const DIRECT: f64 = 16.0 / (1 << 24) as f64;
const WINOGRAD: f64 = 8.0 * DIRECT;

/// Every instruction set, and what tiles do in plain Rust; says which instructions there are none of.
fn instruction_sets() -> Vec<Isa> {
    let mut all = Isa::all();
    for (isa, what) in [(Isa::Avx512Bf16, "pairs"), (Isa::Amx, "tiles")] {
        if !all.contains(&isa) {
            eprintln!("SKIPPED in part: this processor multiplies no {what} of bf16");
        }
    }
    all.push(Isa::PlainTiles);
    all
}

/// Shapes as in [`CASES`], drawn at random.
fn random_cases() -> Vec<[usize; 8]> {
    let mut state = 20_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    (0..40)
        .map(|_| {
            let kernel = [1, 2, 3, 3, 5, 7][below(6)];
            let (stride, padding) = (1 + below(3), below(kernel));
            let [c_in, c_out] = [1 + below(50), 1 + below(50)];
            let [height, width] = [kernel + below(14), kernel + below(14)];
            let batch = 1 + below(5);
            [kernel, stride, padding, c_in, c_out, batch, height, width]
        })
        .collect()
}

fn rounded(values: &[f32]) -> Vec<f32> {
    values.iter().copied().map(nearest_bf16).collect()
}

fn magnitudes(values: &[f32]) -> Vec<f32> {
    values.iter().map(|x| x.abs()).collect()
}

/// The sum is in single precision, then rounded: to the nearest of the exact sum or, where that lies near the middle between two values,
/// to either.
fn check(found: &[f32], exact: &[f64], magnitude: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), exact.len());
    for (i, (&found, &exact)) in found.iter().zip(exact).enumerate() {
        let off = tolerance * magnitude[i];
        let [low, high] = [exact - off, exact + off].map(|x| nearest_bf16(x as f32));
        assert!(
            (low..=high).contains(&found),
            "{what}, {i}: {found} is not the rounded {exact}, of terms that sum to {}",
            magnitude[i]
        );
    }
}

fn tolerance(conv: &Conv2d) -> f64 {
    if conv.uses_winograd() {
        WINOGRAD
    } else {
        DIRECT
    }
}

#[test]
fn results_are_rounded_sums_of_products_of_rounded_operands() {
    for case in CASES.iter().chain(&random_cases()) {
        let (conv, size) = convolution(case);
        let out = size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2]);
        let input = values(size.iter().product::<usize>() * conv.c_in, 1);
        let (weight, grad) = (values(conv.weight_len(), 2), values(out, 3));
        let operands = [&input, &weight, &grad].map(|x| rounded(x));
        let exact = |[input, weight, grad]: &[Vec<f32>; 3]| {
            let (of_input, of_weight) = gradients(&conv, size, input, weight, grad);
            [forward(&conv, size, input, weight), of_input, of_weight]
        };
        let sums = exact(&operands);
        let magnitudes = exact(&operands.each_ref().map(|x| magnitudes(x)));
        for isa in instruction_sets() {
            for winograd in [true, false] {
                let mut conv = conv.with_isa(isa).in_bf16();
                if !winograd {
                    conv = conv.without_winograd();
                }
                let mut output = vec![f32::NAN; out];
                let mut grads = [&input, &weight].map(|x| vec![f32::NAN; x.len()]);
                on_threads(2, || {
                    conv.forward(&input, size, &weight, None, &mut output);
                    let [of_input, of_weight] = &mut grads;
                    conv.input_grad(&grad, size, &weight, of_input);
                    conv.weight_grad(&input, size, &grad, of_weight);
                });
                let mut both = grads.each_ref().map(|x| vec![f32::NAN; x.len()]);
                let [of_input, of_weight] = &mut both;
                conv.backward(&input, size, &weight, &grad, of_input, of_weight);
                assert_eq!(both, grads);
                let [of_input, of_weight] = grads;
                for (name, found, i) in [
                    ("forward", output, 0),
                    ("input", of_input, 1),
                    ("weight", of_weight, 2),
                ] {
                    let what = format!("{name} of {case:?} on {isa:?}, Winograd: {winograd}");
                    check(&found, &sums[i], &magnitudes[i], tolerance(&conv), &what);
                }
            }
        }
    }
}

#[test]
fn bias_residual_and_relu_follow_the_rounded_sum() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let input = values(size.iter().product::<usize>() * conv.c_in, 3);
        let (weight, bias) = (values(conv.weight_len(), 4), values(conv.c_out, 5));
        let [out_h, out_w] = [conv.output(size[1]), conv.output(size[2])];
        let residual = values(size[0] * conv.c_out * out_h * out_w, 6);
        for isa in instruction_sets() {
            let conv = conv.with_isa(isa).in_bf16();
            let packed = |bias| conv.pack(&weight, bias);
            let blocked = Blocked::from_nchw(&input, size[0], conv.c_in, size[1], size[2]);
            let nchw = |map: Blocked| {
                let mut nchw = vec![f32::NAN; residual.len()];
                map.to_nchw(&mut nchw);
                nchw
            };
            let sums = nchw(packed(None).forward(&blocked, None, Activation::Identity));
            assert_eq!(rounded(&sums), sums);
            let expected: Vec<f32> = sums
                .iter()
                .enumerate()
                .map(|(i, sum)| {
                    (sum + bias[i / (out_h * out_w) % conv.c_out] + residual[i]).max(0.0)
                })
                .collect();
            let residual = Blocked::from_nchw(&residual, size[0], conv.c_out, out_h, out_w);
            let found = packed(Some(&bias)).forward(&blocked, Some(&residual), Activation::Relu);
            assert_eq!(nchw(found), expected, "{case:?} on {isa:?}");
        }
    }
}

#[test]
fn transposed_convolutions_round_as_their_adjoint() {
    for [c_in, c_out, kernel, batch, height, width] in [
        [16, 32, 2, 1, 4, 4],
        [33, 20, 2, 3, 5, 7],
        [5, 3, 3, 2, 3, 2],
    ] {
        for isa in instruction_sets() {
            let adjoint = Conv2d::new(c_out, c_in, kernel, kernel, 0);
            let adjoint = adjoint.with_isa(isa).in_bf16();
            let transposed = ConvTranspose2d::new(c_in, c_out, kernel);
            let transposed = transposed.with_isa(isa).in_bf16();
            let (size, large) = (
                [batch, height, width],
                [batch, height * kernel, width * kernel],
            );
            let input = values(batch * c_in * height * width, 4);
            let weight = values(adjoint.weight_len(), 5);
            let mut expected = vec![f32::NAN; batch * c_out * large[1] * large[2]];
            adjoint.input_grad(&input, large, &weight, &mut expected);
            let mut found = vec![f32::NAN; expected.len()];
            transposed.forward(&input, size, &weight, None, &mut found);
            assert_eq!(found, expected);
            let blocked = Blocked::from_nchw(&input, batch, c_in, height, width);
            let packed = transposed.pack(&weight, None);
            let packed = packed.forward(&blocked, None, Activation::Identity);
            packed.to_nchw(&mut found);
            assert_eq!(found, expected);
            let grad = values(expected.len(), 6);
            let mut grads = (vec![f32::NAN; input.len()], vec![f32::NAN; weight.len()]);
            let (of_input, of_weight) = (&mut grads.0, &mut grads.1);
            transposed.backward(&input, size, &weight, &grad, of_input, of_weight);
            let mut expected = (vec![f32::NAN; input.len()], vec![f32::NAN; weight.len()]);
            adjoint.forward(&grad, large, &weight, None, &mut expected.0);
            adjoint.weight_grad(&grad, large, &input, &mut expected.1);
            assert_eq!(grads, expected);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bits_on_any_number_of_threads() {
    for case in CASES {
        let (conv, size) = convolution(case);
        let conv = conv.in_bf16();
        let input = values(size.iter().product::<usize>() * conv.c_in, 7);
        let weight = values(conv.weight_len(), 8);
        let out = size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2]);
        let grad = values(out, 9);
        let run = |threads: usize| {
            let mut results = [out, input.len(), weight.len()].map(|len| vec![f32::NAN; len]);
            let [output, of_input, of_weight] = &mut results;
            on_threads(threads, || {
                conv.forward(&input, size, &weight, None, output);
                conv.backward(&input, size, &weight, &grad, of_input, of_weight);
            });
            results
        };
        assert_eq!(run(2), run(2), "{case:?}");
        assert_eq!(run(3), run(1), "{case:?}");
    }
}

#[test]
fn not_a_number_is_not_hidden() {
    for isa in instruction_sets() {
        let conv = Conv2d::new(16, 16, 3, 1, 1).with_isa(isa).in_bf16();
        // All of whose bits are set: a carry would make it zero. And one that without its lower half would be infinite.
        let bits = [0x7fff_ffff, 0x7f80_0001];
        for (conv, bits) in [
            (conv, bits[0]),
            (conv.without_winograd(), bits[0]),
            (conv, bits[1]),
        ] {
            let nan = f32::from_bits(bits);
            let mut input = vec![0.0; 16 * 64];
            input[0] = nan;
            let packed = conv.pack(&values(conv.weight_len(), 1), None);
            let mut output = vec![0.0; 16 * 64];
            packed
                .forward_nchw(&input, [1, 8, 8], Activation::Relu)
                .to_nchw(&mut output);
            assert!(output[0].is_nan(), "{isa:?}");
        }
    }
}

#[test]
fn values_are_rounded_to_the_nearest_and_ties_to_even() {
    let bits = |x: f32| x.to_bits();
    for (value, expected) in [
        (0x3f80_8000, 0x3f80_0000),
        (0x3f80_8001, 0x3f81_0000),
        (0x3f81_8000, 0x3f82_0000),
        (0xbf80_7fff, 0xbf80_0000),
        (0x7f7f_ffff, bits(f32::INFINITY)),
        (bits(f32::NEG_INFINITY), bits(f32::NEG_INFINITY)),
        (0x8000_0000, 0x8000_0000),
    ] {
        let value = f32::from_bits(value);
        assert_eq!(nearest_bf16(value).to_bits(), expected);
        for isa in instruction_sets() {
            let mut values = [value; 21];
            pairs::round(isa, &mut values);
            assert_eq!(values.map(f32::to_bits), [expected; 21], "{isa:?}");
        }
        let mut words = [0.0; 21];
        pairs::pair_neighbours(&[value; 42], &mut words);
        let word = expected | expected >> 16;
        assert_eq!(words.map(f32::to_bits), [word; 21]);
    }
}

#[test]
fn only_bf16_is_multiplied_in_pairs() {
    let conv = Conv2d::new(32, 32, 1, 1, 0);
    for isa in instruction_sets() {
        let conv = conv.with_isa(isa);
        assert_eq!(conv.multiplier(), Multiplier::Floats(isa));
        let expected = match isa {
            Isa::Avx512Bf16 => Multiplier::Pairs,
            Isa::Amx | Isa::PlainTiles => Multiplier::Tiles(isa),
            _ => Multiplier::Floats(isa),
        };
        assert_eq!(conv.in_bf16().multiplier(), expected);
    }
    // What single precision tells apart and bf16 does not.
    let input = vec![1.0 + 1.0 / 1024.0; 32];
    let mut found = [vec![0.0; 32], vec![0.0; 32]];
    let weight = vec![1.0 / 32.0; conv.weight_len()];
    conv.forward(&input, [1, 1, 1], &weight, None, &mut found[0]);
    conv.in_bf16()
        .forward(&input, [1, 1, 1], &weight, None, &mut found[1]);
    let exact = vec![1.0 + 1.0 / 1024.0; 32];
    assert!(relative_error(&found[0], &exact) < 1e-6);
    assert_eq!(found[1], vec![1.0; 32]);
}
