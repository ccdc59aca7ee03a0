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

/// `|a - b| / |b|` over the Euclidean norms.
pub(crate) fn relative_error(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference: f64 = a.iter().zip(b).map(|(x, y)| (f64::from(*x) - y).powi(2)).sum();
    let norm: f64 = b.iter().map(|y| y * y).sum();
    (difference / norm).sqrt()
}

/// Calls `visit(input index, weight index, output index)` for every product of the convolution.
fn products(conv: &Conv2d, [batch, height, width]: [usize; 3], mut visit: impl FnMut(usize, usize, usize)) {
    let (out_h, out_w, k) = (conv.output(height), conv.output(width), conv.kernel);
    for n in 0..batch {
        for o in 0..conv.c_out {
            for i in 0..conv.c_in {
                for y in 0..out_h {
                    for x in 0..out_w {
                        for (ky, kx) in (0..k * k).map(|t| (t / k, t % k)) {
                            let (row, col) = (y * conv.stride + ky, x * conv.stride + kx);
                            let inside = row >= conv.padding && col >= conv.padding;
                            if !inside || row - conv.padding >= height || col - conv.padding >= width {
                                continue;
                            }
                            let input = ((n * conv.c_in + i) * height + row - conv.padding) * width + col - conv.padding;
                            let weight = ((o * conv.c_in + i) * k + ky) * k + kx;
                            visit(input, weight, ((n * conv.c_out + o) * out_h + y) * out_w + x);
                        }
                    }
                }
            }
        }
    }
}

pub(crate) fn forward(conv: &Conv2d, size: [usize; 3], input: &[f32], weight: &[f32]) -> Vec<f64> {
    let mut output = vec![0.0; size[0] * conv.c_out * conv.output(size[1]) * conv.output(size[2])];
    products(conv, size, |i, w, o| output[o] += f64::from(input[i]) * f64::from(weight[w]));
    output
}
