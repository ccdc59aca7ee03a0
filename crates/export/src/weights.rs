use ckaad_parameters::{NamedTensor, NamedTensors};

use crate::ExportError;
use crate::graph::{Graph, Value};

/// The parameters of a part of a model.
#[derive(Clone)]
pub(crate) struct Weights<'a> {
    tensors: &'a NamedTensors,
    /// Of the part, with a dot behind it.
    prefix: String,
    /// What constants of the graph are called before that.
    model: &'static str,
}

impl<'a> Weights<'a> {
    /// All parameters of the backbone, or of the detector.
    pub(crate) fn new(model: &'static str, tensors: &'a NamedTensors) -> Self {
        Self {
            tensors,
            prefix: String::new(),
            model,
        }
    }

    /// Those of a part of this part.
    pub(crate) fn at(&self, part: impl std::fmt::Display) -> Self {
        Self {
            prefix: format!("{}{part}.", self.prefix),
            ..self.clone()
        }
    }

    /// Whether there is a parameter of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.get(&self.name(name)).is_some()
    }

    /// The parameter of that name.
    pub(crate) fn get(&self, name: &str) -> Result<&'a NamedTensor, ExportError> {
        let name = self.name(name);
        self.tensors
            .get(&name)
            .ok_or(ExportError::Parameter { name })
    }

    /// The values of the parameter of that name.
    pub(crate) fn values(&self, name: &str) -> Result<&'a [f32], ExportError> {
        self.get(name).map(|tensor| &tensor.values[..])
    }

    /// The same in double precision.
    pub(crate) fn doubles(&self, name: &str) -> Result<Vec<f64>, ExportError> {
        let values = self.values(name)?.iter();
        Ok(values.copied().map(f64::from).collect())
    }

    /// The only value of the parameter of that name.
    pub(crate) fn number(&self, name: &str) -> Result<f32, ExportError> {
        match self.values(name)? {
            [value] => Ok(*value),
            _ => Err(self.wrong(name)),
        }
    }

    /// The parameter as a constant of the graph.
    pub(crate) fn constant(&self, graph: &mut Graph, name: &str) -> Result<Value, ExportError> {
        let tensor = self.get(name)?;
        let made = || (tensor.shape.clone(), tensor.values.clone());
        Ok(graph.named(&self.constant_name(name), made))
    }

    /// What a constant is called that follows from the parameter of that name.
    pub(crate) fn constant_name(&self, name: &str) -> String {
        format!("{}.{}", self.model, self.name(name))
    }

    /// The error that a parameter is not of the shape that the settings ask for.
    pub(crate) fn wrong(&self, name: &str) -> ExportError {
        ExportError::Parameter {
            name: self.name(name),
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}
