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
    /// `a` and `b` are what is multiplied: input and weight, weight and gradient, input and gradient.
    fn of<B: Backend>(
        &self,
        pass: Pass<FloatTensor<B>>,
        a: FloatTensor<B>,
        b: FloatTensor<B>,
    ) -> FloatTensor<B>;
}

/// What of an operator is wanted.
#[derive(Debug, Clone)]
pub(crate) enum Pass<T> {
    /// The output.
    Forward,
    /// The gradient with respect to this input, of which only the shape matters.
    XGradient(T),
    /// The gradient with respect to this weight, of which only the shape matters.
    WeightGradient(T),
}

impl Product for ConvOptions<2> {
    fn of<B: Backend>(
        &self,
        pass: Pass<FloatTensor<B>>,
        a: FloatTensor<B>,
        b: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let options = self.clone();
        match pass {
            Pass::Forward => B::conv2d(a, b, None, options),
            Pass::XGradient(x) => B::conv2d_x_backward(x, a, b, options),
            Pass::WeightGradient(weight) => B::conv2d_weight_backward(a, weight, b, options),
        }
    }
}

impl Product for ConvTransposeOptions<2> {
    fn of<B: Backend>(
        &self,
        pass: Pass<FloatTensor<B>>,
        a: FloatTensor<B>,
        b: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let options = self.clone();
        match pass {
            Pass::Forward => B::conv_transpose2d(a, b, None, options),
            Pass::XGradient(_) => B::conv_transpose2d_x_backward(a, b, options),
            Pass::WeightGradient(weight) => {
                B::conv_transpose2d_weight_backward(a, weight, b, options)
            }
        }
    }
}

/// The pass of an operator on rounded operands.
fn rounded<B: Backend>(
    product: &impl Product,
    rounding: Rounding,
    pass: Pass<FloatTensor<B>>,
    a: FloatTensor<B>,
    b: FloatTensor<B>,
) -> FloatTensor<B> {
    rounding.apply::<B>(a, b, |a, b| product.of::<B>(pass.clone(), a, b))
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
        let y = rounded::<B>(&product, rounding, Pass::Forward, x, weight);
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
    let operator = Multiplication::<P>(PhantomData);
    let y = record::<B, _, 2>(operator, [x, weight], |[x, weight]| {
        let y = rounded::<B>(&product, rounding, Pass::Forward, x.clone(), weight.clone());
        let state = State {
            product,
            rounding,
            x,
            weight,
        };
        (y, state)
    });
    Tensor::from_primitive::<Autodiff<B>>(y)
}

/// The output of an operator on tracked inputs. `forward` returns with it what the backward pass needs.
pub(crate) fn record<B: Backend, O: Backward<B, N>, const N: usize>(
    operator: O,
    inputs: [FloatTensor<Autodiff<B>>; N],
    forward: impl FnOnce([FloatTensor<B>; N]) -> (FloatTensor<B>, O::State),
) -> FloatTensor<Autodiff<B>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let prepared = operator
        .prepare::<NoCheckpointing>(nodes)
        .compute_bound()
        .stateful();
    let (y, state) = forward(inputs.map(|input| input.into_primitive()));
    match prepared {
        OpsKind::UnTracked(prepared) => prepared.finish(y),
        OpsKind::Tracked(prepared) => prepared.finish(state, y),
    }
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
            let pass = Pass::XGradient(x.clone());
            let of_x = rounded::<B>(&product, rounding, pass, weight.clone(), gradient.clone());
            gradients.register::<B>(node.id, of_x);
        }
        if let Some(node) = weight_node {
            let pass = Pass::WeightGradient(weight);
            let of_weight = rounded::<B>(&product, rounding, pass, x, gradient);
            gradients.register::<B>(node.id, of_weight);
        }
    }
}
