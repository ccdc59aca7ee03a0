//! The contiguous instance norm against its definition in f64.

use super::reference::{relative_error, values};
use crate::{
    Activation, Halves, InstanceNorm, Kept, NormBackward, NormForward, NormGradients, NormOutputs,
};

struct Case {
    norm: InstanceNorm,
    input: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    residual: Option<Vec<f32>>,
}

impl Case {
    fn new(batch: usize, channels: usize, pixels: usize, activation: Activation) -> Self {
        let len = batch * channels * pixels;
        let residual = (activation == Activation::Relu).then(|| values(len, 5));
        Self {
            norm: InstanceNorm {
                channels,
                pixels,
                epsilon: 1e-5,
                activation,
            },
            input: values(len, 2).into_iter().map(|x| 3.0 * x + 2.0).collect(),
            scale: values(channels, 3),
            shift: values(channels, 4),
            residual,
        }
    }

    /// Output in f64, the input moved by `step` along `direction`.
    fn exact(&self, step: f64, direction: &[f32]) -> Vec<f64> {
        let pixels = self.norm.pixels;
        let input: Vec<f64> = self
            .input
            .iter()
            .zip(direction)
            .map(|(x, d)| f64::from(*x) + step * f64::from(*d))
            .collect();
        let mut output = Vec::new();
        for (i, plane) in input.chunks(pixels).enumerate() {
            let mean = plane.iter().sum::<f64>() / pixels as f64;
            let variance = plane.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / pixels as f64;
            let c = i % self.norm.channels;
            for (p, x) in plane.iter().enumerate() {
                let mut y = (x - mean) / (variance + f64::from(1e-5f32)).sqrt()
                    * f64::from(self.scale[c])
                    + f64::from(self.shift[c]);
                if let Some(residual) = &self.residual {
                    y += f64::from(residual[i * pixels + p]);
                }
                output.push(if self.norm.activation == Activation::Relu {
                    y.max(0.0)
                } else {
                    y
                });
            }
        }
        output
    }
}

#[test]
fn values_and_gradients_agree_with_f64() {
    for activation in [Activation::Identity, Activation::Relu] {
        for [batch, channels, pixels] in [[1, 3, 4], [2, 5, 135], [3, 2, 64], [2, 17, 31]] {
            let case = Case::new(batch, channels, pixels, activation);
            let len = case.input.len();
            let mut output = vec![f32::NAN; len];
            let mut statistics = vec![f32::NAN; 2 * batch * channels];
            let read = NormForward {
                input: &case.input,
                scale: &case.scale,
                shift: &case.shift,
                residual: case.residual.as_deref(),
            };
            let mut above_zero = vec![u16::MAX; case.norm.words(len)];
            let write = NormOutputs {
                output: &mut output,
                statistics: &mut statistics,
                above_zero: Some(&mut above_zero),
            };
            case.norm.forward(read, write);
            let nowhere = vec![0.0; len];
            assert!(relative_error(&output, &case.exact(0.0, &nowhere)) < 1e-6);

            let grad = values(len, 7);
            let mut input_grad = vec![f32::NAN; len];
            let mut residual_grad = case.residual.as_ref().map(|_| vec![f32::NAN; len]);
            let (mut scale_grad, mut shift_grad) =
                (vec![f32::NAN; channels], vec![f32::NAN; channels]);
            case.norm.backward(
                NormBackward {
                    input: Kept::Floats(&case.input),
                    scale: &case.scale,
                    statistics: &statistics,
                    above_zero: &above_zero,
                    output_grad: &grad,
                },
                NormGradients {
                    input: &mut input_grad,
                    residual: residual_grad.as_deref_mut(),
                    scale: &mut scale_grad,
                    shift: &mut shift_grad,
                },
            );
            let behind: Vec<f64> = grad
                .iter()
                .zip(&output)
                .map(|(g, y)| {
                    let passes = activation == Activation::Identity || *y > 0.0;
                    if passes { f64::from(*g) } else { 0.0 }
                })
                .collect();
            if let Some(residual_grad) = &residual_grad {
                assert!(relative_error(residual_grad, &behind) < 1e-6);
            }
            // The directional derivative, by a symmetric difference of the exact function.
            let direction = values(len, 8);
            let loss = |step: f64| -> f64 {
                let output = case.exact(step, &direction);
                output
                    .iter()
                    .zip(&grad)
                    .map(|(y, g)| y * f64::from(*g))
                    .sum()
            };
            let expected = (loss(1e-6) - loss(-1e-6)) / 2e-6;
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter()
                    .zip(b)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum()
            };
            let found = dot(&input_grad, &direction);
            let scale: f64 =
                dot(&input_grad, &input_grad).sqrt() * dot(&direction, &direction).sqrt();
            assert!(
                (found - expected).abs() < 1e-5 * scale,
                "{found} {expected}"
            );
            for c in 0..channels {
                let (mut of_scale, mut of_shift) = (0.0, 0.0);
                for plane in (0..batch).map(|n| n * channels + c) {
                    let at = plane * pixels..(plane + 1) * pixels;
                    let (mean, inverse) = (statistics[2 * plane], statistics[2 * plane + 1]);
                    for (x, g) in case.input[at.clone()].iter().zip(&behind[at]) {
                        of_scale += g * f64::from((x - mean) * inverse);
                        of_shift += g;
                    }
                }
                assert!((f64::from(scale_grad[c]) - of_scale).abs() < 1e-4);
                assert!((f64::from(shift_grad[c]) - of_shift).abs() < 1e-4);
            }
        }
    }
}

/// The gradient of the input does not depend on how the input was kept.
#[test]
fn inputs_of_bf16_may_be_kept_as_such() {
    for pixels in [4, 64, 135] {
        let mut case = Case::new(2, 5, pixels, Activation::Relu);
        case.input = Halves::rounded(&case.input).to_floats();
        let len = case.input.len();
        let (mut output, mut statistics) = (vec![0.0; len], vec![0.0; 20]);
        let mut above_zero = vec![0; case.norm.words(len)];
        let read = NormForward {
            input: &case.input,
            scale: &case.scale,
            shift: &case.shift,
            residual: None,
        };
        let write = NormOutputs {
            output: &mut output,
            statistics: &mut statistics,
            above_zero: Some(&mut above_zero),
        };
        case.norm.forward(read, write);
        let halves = Halves::exact(&case.input).unwrap();
        let [floats, halves] = [Kept::Floats(&case.input), halves.kept()].map(|input| {
            let mut gradients = [len, 5, 5].map(|len| vec![f32::NAN; len]);
            let [input_grad, scale, shift] = &mut gradients;
            let read = NormBackward {
                input,
                scale: &case.scale,
                statistics: &statistics,
                above_zero: &above_zero,
                output_grad: &values(len, 7),
            };
            let write = NormGradients {
                input: input_grad,
                residual: None,
                scale,
                shift,
            };
            case.norm.backward(read, write);
            gradients
        });
        assert_eq!(floats, halves);
    }
}
