//! The plain definition of a convolution and of its gradients, in f64.

use crate::Conv2d;

/// Pseudo-random values in [-1, 1).
pub(crate) fn values(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Runs on a pool of this many threads: how the work is cut depends on them.
pub(crate) fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(work)
}

/// `|a - b| / |b|` over the Euclidean norms.
pub(crate) fn relative_error(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference: f64 = a
        .iter()
        .zip(b)
        .map(|(x, y)| (f64::from(*x) - y).powi(2))
        .sum();
    let norm: f64 = b.iter().map(|y| y * y).sum();
    (difference / norm).sqrt()
}

/// Calls `visit(input index, weight index, output index)` for every product of the convolution.
fn products(
    conv: &Conv2d,
    [batch, height, width]: [usize; 3],
    mut visit: impl FnMut(usize, usize, usize),
) {
    let (out_h, out_w, k) = (conv.output(height), conv.output(width), conv.kernel);
    for n in 0..batch {
        for o in 0..conv.c_out {
            for i in 0..conv.c_in {
                for y in 0..out_h {
                    for x in 0..out_w {
                        for (ky, kx) in (0..k * k).map(|t| (t / k, t % k)) {
                            let (row, col) = (y * conv.stride + ky, x * conv.stride + kx);
                            let inside = row >= conv.padding && col >= conv.padding;
                            if !inside
                                || row - conv.padding >= height
                                || col - conv.padding >= width
                            {
                                continue;
                            }
                            let input = ((n * conv.c_in + i) * height + row - conv.padding) * width
                                + col
                                - conv.padding;
                            let weight = ((o * conv.c_in + i) * k + ky) * k + kx;
                            visit(
                                input,
                                weight,
                                ((n * conv.c_out + o) * out_h + y) * out_w + x,
                            );
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn forward(conv: &Conv2d, size: [usize; 3], input: &[f32], weight: &[f32]) -> Vec<f64> {
    let mut output = vec![0.0; size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2])];
    products(conv, size, |i, w, o| {
        output[o] += f64::from(input[i]) * f64::from(weight[w])
    });
    output
}

/// Gradients with respect to the input and the weights.
pub(crate) fn gradients(
    conv: &Conv2d,
    size: [usize; 3],
    input: &[f32],
    weight: &[f32],
    output_grad: &[f32],
) -> (Vec<f64>, Vec<f64>) {
    let (mut input_grad, mut weight_grad) = (vec![0.0; input.len()], vec![0.0; weight.len()]);
    products(conv, size, |i, w, o| {
        input_grad[i] += f64::from(output_grad[o]) * f64::from(weight[w]);
        weight_grad[w] += f64::from(output_grad[o]) * f64::from(input[i]);
    });
    (input_grad, weight_grad)
}

/// Kernel, stride, padding, channels in and out, batch, height, width.
pub(crate) const CASES: &[[usize; 8]] = &[
    [3, 1, 1, 16, 32, 1, 8, 8],
    [3, 1, 1, 5, 7, 3, 9, 11],
    [3, 1, 1, 33, 50, 2, 13, 6],
    [3, 1, 1, 64, 64, 1, 64, 64],
    [3, 1, 1, 70, 40, 5, 7, 5],
    [3, 1, 1, 128, 96, 2, 16, 16],
    [3, 1, 1, 280, 40, 1, 9, 12],
    [3, 1, 1, 18, 33, 5, 20, 18],
    [3, 2, 1, 20, 36, 5, 9, 6],
    [1, 2, 0, 18, 20, 6, 5, 5],
    [3, 1, 1, 20, 20, 1, 1, 1],
    [3, 1, 0, 20, 33, 2, 9, 7],
    [3, 2, 1, 16, 32, 1, 8, 8],
    [3, 2, 1, 37, 20, 2, 9, 13],
    [3, 2, 1, 64, 48, 3, 32, 32],
    [3, 2, 1, 48, 64, 1, 7, 40],
    [1, 1, 0, 48, 64, 2, 5, 7],
    [1, 1, 0, 7, 1, 2, 6, 6],
    [1, 2, 0, 40, 33, 2, 9, 7],
    [2, 2, 0, 16, 24, 1, 6, 10],
    [2, 1, 0, 24, 24, 2, 2, 2],
    [7, 2, 3, 3, 64, 2, 33, 40],
    [7, 2, 3, 1, 20, 1, 16, 16],
    [5, 3, 2, 20, 20, 1, 17, 16],
];

pub(crate) fn convolution(case: &[usize; 8]) -> (Conv2d, [usize; 3]) {
    let [kernel, stride, padding, c_in, c_out, batch, height, width] = *case;
    (
        Conv2d::new(c_in, c_out, kernel, stride, padding),
        [batch, height, width],
    )
}
