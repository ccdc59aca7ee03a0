//! Parameters into and out of burn modules, by name.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};

use crate::{NamedTensor, NamedTensors, ParameterError};

/// The layer a parameter belongs to, as far as starting values depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// A convolution: weight `[out, in, height, width]`.
    Conv,
    /// A transposed convolution: weight `[in, out, height, width]`.
    ConvTransposed,
    /// A linear layer: weight `[in, out]`.
    Linear,
    /// Any other layer (norms).
    Other,
}

/// What is known of a parameter before it has values.
#[derive(Debug, Clone, Copy)]
pub struct ParameterInfo<'a> {
    /// Path in the module, joined by dots.
    pub name: &'a str,
    /// The layer that owns it.
    pub layer: LayerKind,
    /// Extent of each axis.
    pub shape: &'a [usize],
}

/// Copies every float parameter (running statistics included) out of `module`.
pub fn collect<M: Module>(module: &M) -> NamedTensors {
    let mut collector = Collector {
        path: Path::default(),
        tensors: NamedTensors::new(),
    };
    module.visit(&mut collector);
    collector.tensors
}

/// Gives every float parameter of `module` the values that `values` returns for it.
///
/// # Panics
/// If `values` returns another number of values than the parameter has.
pub fn fill<M: Module>(module: M, values: impl FnMut(ParameterInfo<'_>) -> Vec<f32>) -> M {
    let mut filler = Filler {
        path: Path::default(),
        values,
    };
    module.map(&mut filler)
}

/// Gives every float parameter of `module` the tensor of its name.
///
/// # Errors
/// [`ParameterError::Mismatch`] naming every parameter that is missing, left over or of another shape; `module` is
/// lost then, nothing is half-applied.
pub fn apply<M: Module>(module: M, tensors: &NamedTensors) -> Result<M, ParameterError> {
    let mut expected = BTreeMap::new();
    let module = fill(module, |info| {
        expected.insert(info.name.to_owned(), info.shape.to_vec());
        match tensors.get(info.name) {
            Some(tensor) if tensor.shape == info.shape => tensor.values.clone(),
            _ => vec![0.0; info.shape.iter().product()],
        }
    });
    tensors.check(&expected).map(|()| module)
}

/// The modules entered on the way to a parameter.
#[derive(Default)]
struct Path(Vec<(String, LayerKind)>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        let kind = match container {
            "Struct:Conv2d" => LayerKind::Conv,
            "Struct:ConvTranspose2d" => LayerKind::ConvTransposed,
            "Struct:Linear" => LayerKind::Linear,
            _ => LayerKind::Other,
        };
        let name = match name {
            "gamma" => "weight",
            "beta" => "bias",
            other => other,
        };
        // Which variant of an enum a layer is, says the network's configuration, not the parameter's name.
        let name = if container.starts_with("Enum:") {
            ""
        } else {
            name
        };
        self.0.push((name.to_owned(), kind));
    }

    fn exit(&mut self) {
        self.0.pop();
    }

    fn name(&self) -> String {
        let names: Vec<&str> = self
            .0
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !name.is_empty())
            .collect();
        names.join(".")
    }

    /// burn hands the container of the *owner* of a field to `enter_module`, so the last entry tells the layer.
    fn layer(&self) -> LayerKind {
        self.0.last().map_or(LayerKind::Other, |(_, kind)| *kind)
    }
}

struct Collector {
    path: Path,
    tensors: NamedTensors,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().into_data();
        let shape = data.shape().to_vec();
        let values = data.convert::<f32>().iter::<f32>().collect();
        self.tensors
            .insert(self.path.name(), NamedTensor { shape, values });
    }
}

struct Filler<F> {
    path: Path,
    values: F,
}

impl<F: FnMut(ParameterInfo<'_>) -> Vec<f32>> ModuleMapper for Filler<F> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper): (ParamId, Tensor<D>, _) = param.consume();
        let shape = tensor.dims();
        let name = self.path.name();
        let values = (self.values)(ParameterInfo {
            name: &name,
            layer: self.path.layer(),
            shape: &shape,
        });
        let filled = Tensor::from_data(TensorData::new(values, shape), &tensor.device())
            .set_require_grad(tensor.is_require_grad());
        Param::from_mapped_value(id, filled, mapper)
    }
}
