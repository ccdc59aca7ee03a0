//! The instance norm with what follows it, and its gradients.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::module::Param;
use burn::nn::InstanceNorm as Layer;
use burn::tensor::Tensor;
use ckaad_conv::{
    Activation as Last, InstanceNorm, NormBackward, NormForward, NormGradients, NormOutputs,
};

use super::kept::Kept;
use super::operands::{
    Operands, contiguous, from_values, operands, plain, record, register, slice,
};
use crate::Activation;

/// The layer's output, or `None` if the kernels do not cover the layer or its tensors.
pub(crate) fn instance_norm(
    layer: &Layer,
    x: &Tensor<4>,
    residual: Option<&Tensor<4>>,
    activation: Activation,
) -> Option<Tensor<4>> {
    let shape @ [batch, channels, height, width] = x.dims();
    let fits = channels == layer.num_channels && residual.is_none_or(|r| r.dims() == shape);
    if !fits || batch * channels * height * width == 0 {
        return None;
    }
    let norm = InstanceNorm {
        channels,
        pixels: height * width,
        epsilon: layer.epsilon as f32,
        activation: activation.into(),
    };
    // A layer that has no scale and shift scales by one and shifts by nothing.
    let or = |parameter: &Option<Param<Tensor<1>>>, value: f64| {
        let value = || Tensor::full([channels], value, &x.device());
        parameter.as_ref().map_or_else(value, Param::val)
    };
    let gamma = or(&layer.gamma, 1.0).into_dispatch();
    let beta = or(&layer.beta, 0.0).into_dispatch();
    let x = x.clone().into_dispatch();
    match residual {
        None => Some(run(norm, shape, operands([x, gamma, beta])?)),
        Some(residual) => {
            let residual = residual.clone().into_dispatch();
            Some(run(norm, shape, operands([x, gamma, beta, residual])?))
        }
    }
}

/// Runs on input, scale, shift and, if there is one, the residual.
fn run<const N: usize>(norm: InstanceNorm, shape: [usize; 4], operands: Operands<N>) -> Tensor<4> {
    match operands {
        Operands::Plain(inputs) => plain(forward(&norm, shape, &inputs, None).0),
        Operands::Tracked(inputs) => record(Normalisation, inputs, |inputs| {
            let words = match norm.activation {
                Last::Relu => norm.words(shape.iter().product()),
                Last::Identity => 0,
            };
            let mut above_zero = vec![0; words];
            let bits = (words > 0).then_some(above_zero.as_mut_slice());
            let (y, statistics) = forward(&norm, shape, &inputs, bits);
            let state = State {
                norm,
                shape,
                x: Kept::exact(inputs[0].clone()),
                scale: inputs[1].clone(),
                statistics,
                above_zero,
            };
            (y, state)
        }),
    }
}

fn forward(
    norm: &InstanceNorm,
    shape: [usize; 4],
    inputs: &[FlexTensor],
    above_zero: Option<&mut [u16]>,
) -> (FlexTensor, Vec<f32>) {
    let mut y = vec![0.0; shape.iter().product()];
    let mut statistics = vec![0.0; 2 * shape[0] * shape[1]];
    let read = NormForward {
        input: slice(&inputs[0]),
        scale: slice(&inputs[1]),
        shift: slice(&inputs[2]),
        residual: inputs.get(3).map(slice),
    };
    let write = NormOutputs {
        output: &mut y,
        statistics: &mut statistics,
        above_zero,
    };
    norm.forward(read, write);
    (from_values(y, shape), statistics)
}

#[derive(Debug)]
struct Normalisation;

#[derive(Debug, Clone)]
struct State {
    norm: InstanceNorm,
    shape: [usize; 4],
    x: Kept,
    scale: FlexTensor,
    /// Mean and inverse deviation of every image and channel.
    statistics: Vec<f32>,
    /// Which outputs are, where a ReLU is last.
    above_zero: Vec<u16>,
}

impl<const N: usize> Backward<Flex, N> for Normalisation {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let state = ops.state;
        let grad = contiguous(gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.map(|parent| parent.map(|node| node.id));
        let wanted = |index: usize| wanted.get(index).copied().flatten();
        let len = state.shape.iter().product();
        let channels = state.norm.channels;
        let mut x_grad = vec![0.0; len];
        let mut residual_grad = wanted(3).map(|_| vec![0.0; len]);
        let mut scale_grad = vec![0.0; channels];
        let mut shift_grad = vec![0.0; channels];
        state.norm.backward(
            NormBackward {
                input: state.x.values(),
                scale: slice(&state.scale),
                statistics: &state.statistics,
                above_zero: &state.above_zero,
                output_grad: slice(&grad),
            },
            NormGradients {
                input: &mut x_grad,
                residual: residual_grad.as_deref_mut(),
                scale: &mut scale_grad,
                shift: &mut shift_grad,
            },
        );
        register(gradients, wanted(0), Some(x_grad), state.shape);
        register(gradients, wanted(1), Some(scale_grad), [channels]);
        register(gradients, wanted(2), Some(shift_grad), [channels]);
        register(gradients, wanted(3), residual_grad, state.shape);
    }
}
