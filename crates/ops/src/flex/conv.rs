//! The convolution and its gradients.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d as Layer;
use burn::tensor::Tensor;
use ckaad_conv::Conv2d;

use super::operands::{Operands, contiguous, from_values, operands, plain, slice, tracked};

/// Pixels of the largest maps on which 3x3 convolutions are computed directly.
const TILE: usize = 16;

/// The layer's output, or `None` if the kernels do not cover the layer or its tensors.
pub(crate) fn conv2d(layer: &Layer, x: &Tensor<4>) -> Option<Tensor<4>> {
    let conv = kernel(layer)?;
    let [batch, channels, height, width] = x.dims();
    let fits = channels == conv.c_in && height.min(width) + 2 * conv.padding >= conv.kernel;
    if !fits || batch == 0 {
        return None;
    }
    // Winograd has nothing to gain on maps of a tile, and instance norms of so few pixels magnify its rounding errors.
    let conv = if is_tiny_map(height * width) {
        conv.without_winograd()
    } else {
        conv
    };
    let size = [batch, height, width];
    let weight = layer.weight.val();
    let bias = layer.bias.as_ref().map(|bias| bias.val());
    match operands([x.clone().into_dispatch(), weight.into_dispatch()])? {
        Operands::Plain([x, weight]) => {
            let bias = match bias {
                Some(bias) => match operands([bias.into_dispatch()])? {
                    Operands::Plain([bias]) => Some(bias),
                    Operands::Tracked(_) => return None,
                },
                None => None,
            };
            let bias = bias.as_ref().map(slice);
            Some(plain(forward(&conv, size, &x, &weight, bias)))
        }
        Operands::Tracked([x, weight]) => {
            let (x_wanted, weight_wanted) = (x.is_tracked(), weight.is_tracked());
            let prepared = Convolution
                .prepare::<NoCheckpointing>([x.node(), weight.node()])
                .compute_bound()
                .stateful();
            let (x, weight) = (
                contiguous(x.into_primitive()),
                contiguous(weight.into_primitive()),
            );
            let y = forward(&conv, size, &x, &weight, None);
            let y = tracked::<4>(match prepared {
                OpsKind::UnTracked(prepared) => prepared.finish(y),
                OpsKind::Tracked(prepared) => {
                    // Each gradient needs the other operand.
                    let state = State {
                        conv,
                        size,
                        x: weight_wanted.then_some(x),
                        weight: x_wanted.then_some(weight),
                    };
                    prepared.finish(state, y)
                }
            });
            Some(match bias {
                Some(bias) => y + bias.reshape([1, conv.c_out, 1, 1]),
                None => y,
            })
        }
    }
}

/// Whether 3x3 convolutions of maps of so many pixels are computed directly.
pub(super) fn is_tiny_map(pixels: usize) -> bool {
    pixels <= TILE
}

pub(super) fn kernel(layer: &Layer) -> Option<Conv2d> {
    let [c_out, c_in, _, _] = layer.weight.dims();
    let ([kernel, kernel_w], [stride, stride_w]) = (layer.kernel_size, layer.stride);
    let padding = match layer.padding {
        PaddingConfig2d::Valid => 0,
        PaddingConfig2d::Explicit(top, left, bottom, right)
            if [left, bottom, right] == [top; 3] =>
        {
            top
        }
        _ => return None,
    };
    let square = kernel == kernel_w && stride == stride_w;
    let simple = layer.groups == 1 && layer.dilation == [1, 1] && padding < kernel;
    (square && simple).then(|| Conv2d::new(c_in, c_out, kernel, stride, padding))
}

fn forward(
    conv: &Conv2d,
    size: [usize; 3],
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&[f32]>,
) -> FlexTensor {
    let [batch, height, width] = size;
    let shape = [batch, conv.c_out, conv.output(height), conv.output(width)];
    let mut y = vec![0.0; shape.iter().product()];
    conv.forward(slice(x), size, slice(weight), bias, &mut y);
    from_values(y, shape)
}

#[derive(Debug)]
struct Convolution;

#[derive(Debug, Clone)]
struct State {
    conv: Conv2d,
    size: [usize; 3],
    x: Option<FlexTensor>,
    weight: Option<FlexTensor>,
}

impl Backward<Flex, 2> for Convolution {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State {
            conv,
            size: size @ [batch, height, width],
            x,
            weight,
        } = ops.state;
        let grad = contiguous(gradients.consume::<Flex>(&ops.node));
        let grad = slice(&grad);
        let [x_node, weight_node] = ops.parents;
        let x_shape = [batch, conv.c_in, height, width];
        let weight_shape = [conv.c_out, conv.c_in, conv.kernel, conv.kernel];
        let mut x_grad = weight.as_ref().map(|_| vec![0.0; x_shape.iter().product()]);
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
            gradients.register::<Flex>(node.id, from_values(values, x_shape));
        }
        if let (Some(node), Some(values)) = (weight_node, weight_grad) {
            gradients.register::<Flex>(node.id, from_values(values, weight_shape));
        }
    }
}
