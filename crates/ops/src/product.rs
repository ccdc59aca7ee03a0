//! Products of two tensors on burn's operators, with control over how their operands are rounded, forward and backward.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, DispatchKindConversion, DispatchTensor};
use burn::tensor::Tensor;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use crate::rounding::Rounding;

/// An operator on an input and a weight that is linear in both, so that its gradients are such operators too.
pub(crate) trait Product: Debug + Clone + Send + 'static {
    fn forward<B: Backend>(&self, x: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B>;

    /// `of` is the input; only its shape matters.
    fn x_gradient<B: Backend>(
        &self,
        of: FloatTensor<B>,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B>;

    /// `of` is the weight; only its shape matters.
    fn weight_gradient<B: Backend>(
        &self,
        of: FloatTensor<B>,
        x: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B>;
}

impl Product for ConvOptions<2> {
    fn forward<B: Backend>(&self, x: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B> {
        B::conv2d(x, weight, None, self.clone())
    }

    fn x_gradient<B: Backend>(
        &self,
        of: FloatTensor<B>,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        B::conv2d_x_backward(of, weight, gradient, self.clone())
    }

    fn weight_gradient<B: Backend>(
        &self,
        of: FloatTensor<B>,
        x: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        B::conv2d_weight_backward(x, of, gradient, self.clone())
    }
}

impl Product for ConvTransposeOptions<2> {
    fn forward<B: Backend>(&self, x: FloatTensor<B>, weight: FloatTensor<B>) -> FloatTensor<B> {
        B::conv_transpose2d(x, weight, None, self.clone())
    }

    fn x_gradient<B: Backend>(
        &self,
        _: FloatTensor<B>,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        B::conv_transpose2d_x_backward(weight, gradient, self.clone())
    }

    fn weight_gradient<B: Backend>(
        &self,
        of: FloatTensor<B>,
        x: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        B::conv_transpose2d_weight_backward(x, of, gradient, self.clone())
    }
}

/// The product of two tensors on the backend `B` in single precision, with rounded operands.
///
/// # Panics
/// If a tensor is on another backend, or its gradients are tracked with checkpointing.
pub(crate) fn multiply<B: Backend, P: Product>(
    product: P,
    rounding: Rounding,
    x: Tensor<4>,
    weight: Tensor<4>,
) -> Tensor<4>
where
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    let is_tracked = |tensor: &Tensor<4>| tensor.device().is_autodiff();
    if !is_tracked(&x) && !is_tracked(&weight) {
        let [x, weight] = [x, weight].map(|tensor| on_backend(tensor.try_into_primitive::<B>()));
        let y = rounding.apply::<B>(x, weight, |x, weight| product.forward::<B>(x, weight));
        return Tensor::from_primitive::<B>(y);
    }
    // A plain tensor is a constant among tracked ones.
    let [x, weight] = [x, weight].map(|tensor| {
        if is_tracked(&tensor) {
            on_backend(tensor.try_into_primitive::<Autodiff<B>>())
        } else {
            Autodiff::<B>::from_inner(on_backend(tensor.try_into_primitive::<B>()))
        }
    });
    let operator = Multiplication(PhantomData);
    let nodes = [x.node(), weight.node()];
    let prepared = Backward::<B, 2>::prepare::<NoCheckpointing>(operator, nodes)
        .compute_bound()
        .stateful();
    let [x, weight] = [x, weight].map(Autodiff::<B>::inner);
    let forward = |x, weight| rounding.apply::<B>(x, weight, |x, w| product.forward::<B>(x, w));
    let y = match prepared {
        OpsKind::UnTracked(prepared) => prepared.finish(forward(x, weight)),
        OpsKind::Tracked(prepared) => {
            let y = forward(x.clone(), weight.clone());
            let state = State {
                product,
                rounding,
                x,
                weight,
            };
            prepared.finish(state, y)
        }
    };
    Tensor::from_primitive::<Autodiff<B>>(y)
}

fn on_backend<T, E: Debug>(tensor: Result<T, E>) -> T {
    tensor.unwrap_or_else(|error| panic!("a product of tensors of another kind: {error:?}"))
}

#[derive(Debug)]
struct Multiplication<P>(PhantomData<P>);

#[derive(Debug, Clone)]
struct State<P, T> {
    product: P,
    rounding: Rounding,
    x: T,
    weight: T,
}

impl<B: Backend, P: Product> Backward<B, 2> for Multiplication<P> {
    type State = State<P, FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let State {
            product,
            rounding,
            x,
            weight,
        } = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let [x_node, weight_node] = ops.parents;
        if let Some(node) = x_node {
            let of_x = rounding.apply::<B>(weight.clone(), gradient.clone(), |weight, gradient| {
                product.x_gradient::<B>(x.clone(), weight, gradient)
            });
            gradients.register::<B>(node.id, of_x);
        }
        if let Some(node) = weight_node {
            let of_weight = rounding.apply::<B>(x, gradient, |x, gradient| {
                product.weight_gradient::<B>(weight.clone(), x, gradient)
            });
            gradients.register::<B>(node.id, of_weight);
        }
    }
}
