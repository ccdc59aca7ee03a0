//! From burn's tensors to the CPU backend's and back.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::Backward;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, BackendTensor, DispatchAutodiffContext, DispatchTensor,
    DispatchTensorKind, Flex, GradientCheckpointingStrategy,
};
use burn::tensor::{DType, Tensor, TensorData};
use ckaad_conv::Isa;

use crate::product;

/// A tensor of the CPU backend that may track gradients.
pub(crate) type Tracked = FloatTensor<Autodiff<Flex>>;

/// The inputs of an operator, all of them on the CPU backend in `f32` and contiguous.
pub(crate) enum Operands<const N: usize> {
    /// No gradients are tracked.
    Plain([FlexTensor; N]),
    /// At least one input may want a gradient; the others are constants.
    Tracked([Tracked; N]),
}

/// The inputs, if the kernels can take all of them.
pub(crate) fn operands<const N: usize>(tensors: [DispatchTensor; N]) -> Option<Operands<N>> {
    let tracked = tensors
        .iter()
        .any(|tensor| tensor.autodiff != DispatchAutodiffContext::Disabled);
    let taken: Vec<Operand> = tensors.into_iter().map_while(operand).collect();
    if tracked {
        let taken: Vec<_> = taken.into_iter().map(Operand::lift).collect();
        taken.try_into().ok().map(Operands::Tracked)
    } else {
        let taken: Vec<_> = taken
            .into_iter()
            .filter_map(|operand| match operand {
                Operand::Plain(tensor) => Some(contiguous(tensor)),
                Operand::Tracked(_) => None,
            })
            .collect();
        taken.try_into().ok().map(Operands::Plain)
    }
}

enum Operand {
    Plain(FlexTensor),
    Tracked(Tracked),
}

impl Operand {
    /// A plain tensor is a constant among tracked ones.
    fn lift(self) -> Tracked {
        match self {
            Self::Plain(tensor) => Autodiff::<Flex>::from_inner(tensor),
            Self::Tracked(tensor) => tensor,
        }
    }
}

/// A tensor that the kernels take. Without the instructions that they are written for they take none: burn's operators are faster then
/// (BENCH.md of `ckaad-conv`).
fn operand(tensor: DispatchTensor) -> Option<Operand> {
    if Isa::best() == Isa::Portable {
        return None;
    }
    const TRACKED: DispatchAutodiffContext =
        DispatchAutodiffContext::Enabled(GradientCheckpointingStrategy::Disabled);
    #[allow(
        clippy::match_wildcard_for_single_variants,
        reason = "other backends may be compiled in"
    )]
    match (tensor.kind, tensor.autodiff) {
        (
            DispatchTensorKind::Flex(BackendTensor::Float(inner)),
            DispatchAutodiffContext::Disabled,
        ) => (inner.dtype() == DType::F32).then_some(Operand::Plain(inner)),
        (DispatchTensorKind::Autodiff(inner), TRACKED) => match *inner {
            DispatchTensorKind::Flex(BackendTensor::Autodiff(inner)) => {
                (inner.primitive().dtype() == DType::F32).then_some(Operand::Tracked(inner))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether [`primitive`] takes the tensor: it is on the CPU backend in `f32` and tracks no gradients.
pub(crate) fn covers<const D: usize>(tensor: &Tensor<D>) -> bool {
    let tensor = tensor.clone().into_dispatch();
    tensor.autodiff == DispatchAutodiffContext::Disabled
        && matches!(operand(tensor), Some(Operand::Plain(_)))
}

/// The CPU backend's tensor of one that is [covered](covers), contiguous.
pub(crate) fn primitive<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    match operand(tensor.into_dispatch()) {
        Some(Operand::Plain(tensor)) => contiguous(tensor),
        _ => panic!("a tensor that is covered was asked for"),
    }
}

/// The same values in one run of memory.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// The values of a contiguous `f32` tensor.
pub(crate) fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice::<f32>()
        .unwrap_or_else(|| panic!("a tensor that was made contiguous is"))
}

/// A tensor that takes over its values.
pub(crate) fn from_values<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// A burn tensor that tracks no gradients.
pub(crate) fn plain<const D: usize>(tensor: FlexTensor) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(tensor)
}

/// The output of an operator on tracked inputs. `forward` gets them contiguous, and returns with the output what the backward
/// pass needs.
pub(crate) fn record<O: Backward<Flex, N>, const N: usize>(
    operator: O,
    inputs: [Tracked; N],
    forward: impl FnOnce([FlexTensor; N]) -> (FlexTensor, O::State),
) -> Tensor<4> {
    let y = product::record(operator, inputs, |inputs| forward(inputs.map(contiguous)));
    Tensor::from_primitive::<Autodiff<Flex>>(y)
}

/// Hands a gradient to the input that it is of, if that wants one.
pub(crate) fn register<const D: usize>(
    gradients: &mut Gradients,
    input: Option<NodeId>,
    values: Option<Vec<f32>>,
    shape: [usize; D],
) {
    if let (Some(id), Some(values)) = (input, values) {
        gradients.register::<Flex>(id, from_values(values, shape));
    }
}
