//! The transposed convolution whose windows do not overlap, and its gradients.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::nn::conv::ConvTranspose2d as Layer;
use burn::tensor::Tensor;
use ckaad_conv::ConvTranspose2d;

use super::operands::{Operands, contiguous, from_values, operands, plain, slice, tracked};

/// Sizes of a transposed convolution.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    conv: ConvTranspose2d,
    kernel: usize,
    channels: [usize; 2],
    /// `[batch, height, width]` of the input.
    input: [usize; 3],
}

impl Sizes {
    fn x_shape(&self) -> [usize; 4] {
        let [batch, height, width] = self.input;
        [batch, self.channels[0], height, width]
    }

    fn y_shape(&self) -> [usize; 4] {
        let [batch, height, width] = self.input;
        let (height, width) = (self.kernel * height, self.kernel * width);
        [batch, self.channels[1], height, width]
    }

    fn weight_shape(&self) -> [usize; 4] {
        let [c_in, c_out] = self.channels;
        [c_in, c_out, self.kernel, self.kernel]
    }
}

/// The layer's output, or `None` if the kernels do not cover the layer or its tensors.
pub(crate) fn conv_transpose2d(layer: &Layer, x: &Tensor<4>) -> Option<Tensor<4>> {
    let conv = kernel(layer)?;
    let [c_in, c_out, kernel, _] = layer.weight.dims();
    let [batch, channels, height, width] = x.dims();
    if channels != c_in || batch * height * width == 0 {
        return None;
    }
    let sizes = Sizes {
        conv,
        kernel,
        channels: [c_in, c_out],
        input: [batch, height, width],
    };
    let weight = layer.weight.val();
    match operands([x.clone().into_dispatch(), weight.into_dispatch()])? {
        Operands::Plain([x, weight]) => Some(plain(forward(&sizes, &x, &weight))),
        Operands::Tracked([x, weight]) => {
            let (x_wanted, weight_wanted) = (x.is_tracked(), weight.is_tracked());
            let prepared = TransposedConvolution
                .prepare::<NoCheckpointing>([x.node(), weight.node()])
                .compute_bound()
                .stateful();
            let (x, weight) = (
                contiguous(x.into_primitive()),
                contiguous(weight.into_primitive()),
            );
            let y = forward(&sizes, &x, &weight);
            Some(tracked(match prepared {
                OpsKind::UnTracked(prepared) => prepared.finish(y),
                OpsKind::Tracked(prepared) => {
                    // Each gradient needs the other operand.
                    let state = State {
                        sizes,
                        x: weight_wanted.then_some(x),
                        weight: x_wanted.then_some(weight),
                    };
                    prepared.finish(state, y)
                }
            }))
        }
    }
}

/// The kernel of a layer, if there is one.
pub(super) fn kernel(layer: &Layer) -> Option<ConvTranspose2d> {
    let [c_in, c_out, kernel, kernel_w] = layer.weight.dims();
    let simple = layer.bias.is_none()
        && kernel == kernel_w
        && layer.stride == [kernel; 2]
        && layer.padding == [0, 0]
        && layer.padding_out == [0, 0]
        && layer.dilation == [1, 1]
        && layer.groups == 1;
    simple.then(|| ConvTranspose2d::new(c_in, c_out, kernel))
}

fn forward(sizes: &Sizes, x: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
    let shape = sizes.y_shape();
    let mut y = vec![0.0; shape.iter().product()];
    sizes
        .conv
        .forward(slice(x), sizes.input, slice(weight), &mut y);
    from_values(y, shape)
}

#[derive(Debug)]
struct TransposedConvolution;

#[derive(Debug, Clone)]
struct State {
    sizes: Sizes,
    x: Option<FlexTensor>,
    weight: Option<FlexTensor>,
}

impl Backward<Flex, 2> for TransposedConvolution {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State { sizes, x, weight } = ops.state;
        let (conv, size) = (sizes.conv, sizes.input);
        let grad = contiguous(gradients.consume::<Flex>(&ops.node));
        let grad = slice(&grad);
        let [x_node, weight_node] = ops.parents;
        let mut x_grad = weight
            .as_ref()
            .map(|_| vec![0.0; sizes.x_shape().iter().product()]);
        let mut weight_grad = x.as_ref().map(|_| vec![0.0; conv.weight_len()]);
        match (&x, &weight, &mut x_grad, &mut weight_grad) {
            (Some(x), Some(weight), Some(x_grad), Some(weight_grad)) => {
                conv.backward(slice(x), size, slice(weight), grad, x_grad, weight_grad);
            }
            (Some(x), None, _, Some(weight_grad)) => {
                conv.weight_grad(slice(x), size, grad, weight_grad);
            }
            (None, Some(weight), Some(x_grad), _) => {
                conv.input_grad(grad, size, slice(weight), x_grad);
            }
            _ => {}
        }
        if let (Some(node), Some(values)) = (x_node, x_grad) {
            gradients.register::<Flex>(node.id, from_values(values, sizes.x_shape()));
        }
        if let (Some(node), Some(values)) = (weight_node, weight_grad) {
            gradients.register::<Flex>(node.id, from_values(values, sizes.weight_shape()));
        }
    }
}
