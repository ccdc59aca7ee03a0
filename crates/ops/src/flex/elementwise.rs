//! What a patch discriminator does between its convolutions.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use ckaad_conv::above_zero;
use rayon::prelude::*;

use super::operands::{
    Operands, contiguous, from_values, operands, plain, record, register, slice,
};

/// Values that one task works through: they fit a core's first cache.
const CHUNK: usize = 4096;

/// Values of which a word says the signs.
const WORD: usize = u16::BITS as usize;

/// Positions that are normalised together, channel by channel.
const POSITIONS: usize = 128;

/// `x` where positive, else `slope * x`; the tensor itself where the kernel does not cover it.
#[allow(
    clippy::result_large_err,
    reason = "what comes back is the tensor itself"
)]
pub(crate) fn leaky_relu(x: Tensor<4>, slope: f64) -> Result<Tensor<4>, Tensor<4>> {
    let slope = slope as f32;
    let shape = x.dims();
    let Some(operands) = operands([x.clone().into_dispatch()]) else {
        return Err(x);
    };
    // The last other handle, so that the values can be overwritten.
    drop(x);
    Ok(match operands {
        Operands::Plain([x]) => plain(leak(x, slope, shape)),
        Operands::Tracked(x) => record(LeakyRelu, x, |[x]| {
            let bits = signs(&x);
            (leak(x, slope, shape), (bits, slope, shape))
        }),
    })
}

/// A bit for every value: whether it is above 0.
fn signs(x: &FlexTensor) -> Vec<u16> {
    let values = slice(x);
    let mut bits = vec![0; values.len().div_ceil(WORD)];
    bits.par_chunks_mut(CHUNK / WORD)
        .zip(values.par_chunks(CHUNK))
        .for_each(|(bits, values)| above_zero(values, bits));
    bits
}

fn leak(mut x: FlexTensor, slope: f32, shape: [usize; 4]) -> FlexTensor {
    let leak = |x: f32| if x < 0.0 { x * slope } else { x };
    let whole = x.layout().num_elements() * size_of::<f32>() == x.bytes().len();
    if whole && let Some(values) = x.try_storage_mut::<f32>() {
        values
            .par_chunks_mut(CHUNK)
            .for_each(|chunk| chunk.iter_mut().for_each(|x| *x = leak(*x)));
        return x;
    }
    let values = slice(&x);
    let mut y = vec![0.0; values.len()];
    y.par_chunks_mut(CHUNK)
        .zip(values.par_chunks(CHUNK))
        .for_each(|(y, x)| y.iter_mut().zip(x).for_each(|(y, x)| *y = leak(*x)));
    from_values(y, shape)
}

#[derive(Debug)]
struct LeakyRelu;

impl Backward<Flex, 1> for LeakyRelu {
    /// Which values are above 0, slope and shape.
    type State = (Vec<u16>, f32, [usize; 4]);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (bits, slope, shape) = ops.state;
        let grad = contiguous(gradients.consume::<Flex>(&ops.node));
        let mut x_grad = vec![0.0; slice(&grad).len()];
        x_grad
            .par_chunks_mut(CHUNK)
            .zip(slice(&grad).par_chunks(CHUNK))
            .zip(bits.par_chunks(CHUNK / WORD))
            .for_each(|((to, grad), bits)| {
                let words = to.chunks_mut(WORD).zip(grad.chunks(WORD)).zip(bits);
                for ((to, grad), word) in words {
                    for (i, (to, grad)) in to.iter_mut().zip(grad).enumerate() {
                        let above_zero = word & 1 << i != 0;
                        *to = if above_zero { *grad } else { *grad * slope };
                    }
                }
            });
        let [id] = ops.parents.map(|parent| parent.map(|node| node.id));
        register(gradients, id, Some(x_grad), shape);
    }
}

/// Channels divided by their norm at every position, or `None` where the kernel does not cover the tensor.
pub(crate) fn normalise_channels(x: &Tensor<4>, smallest: f32) -> Option<Tensor<4>> {
    let shape = x.dims();
    if shape.contains(&0) {
        return None;
    }
    Some(match operands([x.clone().into_dispatch()])? {
        Operands::Plain([x]) => plain(normalise(&x, smallest, shape).0),
        Operands::Tracked(x) => record(Normalisation, x, |[x]| {
            let (y, inverse) = normalise(&x, smallest, shape);
            (y.clone(), (y, inverse, 1.0 / smallest.sqrt(), shape))
        }),
    })
}

/// The normalised values, and the inverse norm at every position `[batch, height * width]`.
fn normalise(x: &FlexTensor, smallest: f32, shape: [usize; 4]) -> (FlexTensor, Vec<f32>) {
    let [batch, channels, height, width] = shape;
    let pixels = height * width;
    let values = slice(x);
    let mut inverse = vec![0.0; batch * pixels];
    inverse
        .par_chunks_mut(pixels)
        .zip(values.par_chunks(channels * pixels))
        .for_each(|(inverse, image)| {
            for plane in image.chunks_exact(pixels) {
                for (sum, x) in inverse.iter_mut().zip(plane) {
                    *sum += x * x;
                }
            }
            for sum in inverse {
                *sum = 1.0 / sum.max(smallest).sqrt();
            }
        });
    let mut y = vec![0.0; values.len()];
    y.par_chunks_mut(pixels)
        .zip(values.par_chunks(pixels))
        .enumerate()
        .for_each(|(plane, (y, x))| {
            let inverse = &inverse[plane / channels * pixels..][..pixels];
            for ((y, x), inverse) in y.iter_mut().zip(x).zip(inverse) {
                *y = x * inverse;
            }
        });
    (from_values(y, shape), inverse)
}

#[derive(Debug)]
struct Normalisation;

impl Backward<Flex, 1> for Normalisation {
    /// The output, the inverse norms, the largest of them, the shape.
    type State = (FlexTensor, Vec<f32>, f32, [usize; 4]);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (y, inverse, floor, shape) = ops.state;
        let [_, channels, height, width] = shape;
        let (pixels, len) = (height * width, channels * height * width);
        let grad = contiguous(gradients.consume::<Flex>(&ops.node));
        let mut x_grad = vec![0.0; slice(&grad).len()];
        // dx = (g - y (y . g)) / norm; without the second term where the norm is clamped.
        x_grad
            .par_chunks_mut(len)
            .zip(slice(&grad).par_chunks(len))
            .zip(slice(&y).par_chunks(len))
            .zip(inverse.par_chunks(pixels))
            .for_each(|(((to, grad), y), inverse)| {
                let mut dots = [0.0f32; POSITIONS];
                for first in (0..pixels).step_by(POSITIONS) {
                    let count = POSITIONS.min(pixels - first);
                    let dots = &mut dots[..count];
                    let inverse = &inverse[first..first + count];
                    dots.fill(0.0);
                    for channel in 0..channels {
                        let at = channel * pixels + first;
                        for ((dot, grad), y) in dots
                            .iter_mut()
                            .zip(&grad[at..][..count])
                            .zip(&y[at..][..count])
                        {
                            *dot += grad * y;
                        }
                    }
                    for (dot, inverse) in dots.iter_mut().zip(inverse) {
                        if *inverse >= floor {
                            *dot = 0.0;
                        }
                    }
                    for channel in 0..channels {
                        let at = channel * pixels + first;
                        let to = to[at..][..count].iter_mut();
                        let from = grad[at..][..count].iter().zip(&y[at..][..count]);
                        for ((to, (grad, y)), (dot, inverse)) in
                            to.zip(from).zip(dots.iter().zip(inverse))
                        {
                            *to = (grad - y * dot) * inverse;
                        }
                    }
                }
            });
        let [id] = ops.parents.map(|parent| parent.map(|node| node.id));
        register(gradients, id, Some(x_grad), shape);
    }
}
