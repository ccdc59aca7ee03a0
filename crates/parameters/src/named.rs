use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, TensorView, serialize};

use crate::ParameterError;

/// The shape and row-major values of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Extent of each axis.
    pub shape: Vec<usize>,
    /// Row-major values, as many as the product of the shape.
    pub values: Vec<f32>,
}

/// Parameters by name, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NamedTensors(BTreeMap<String, NamedTensor>);

impl NamedTensors {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one parameter, replacing the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, tensor: NamedTensor) {
        self.0.insert(name.into(), tensor);
    }

    /// The parameter of that name.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.0.get(name)
    }

    /// Takes the parameter of that name out.
    pub fn remove(&mut self, name: &str) -> Option<NamedTensor> {
        self.0.remove(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All parameters, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &NamedTensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out every parameter whose name starts with `prefix`, without the prefix.
    pub fn take_prefixed(&mut self, prefix: &str) -> Self {
        let (taken, kept) = std::mem::take(&mut self.0)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(name, _)| name.starts_with(prefix));
        self.0 = kept;
        taken
            .into_iter()
            .map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor))
            .collect()
    }

    /// The same parameters with `prefix` before every name.
    pub fn prefixed(self, prefix: &str) -> Self {
        self.0
            .into_iter()
            .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
            .collect()
    }

    /// The bytes of a safetensors file with these parameters as little-endian `f32` and the given metadata.
    ///
    /// # Errors
    /// [`ParameterError::Write`] if a shape does not fit its number of values.
    pub fn to_safetensors(
        &self,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<u8>, ParameterError> {
        let bytes: Vec<(&str, &[usize], Vec<u8>)> = self
            .iter()
            .map(|(name, tensor)| {
                let bytes = tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (name, tensor.shape.as_slice(), bytes)
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, shape, bytes)| {
                TensorView::new(Dtype::F32, shape.to_vec(), bytes)
                    .map(|view| (*name, view))
                    .map_err(|source| ParameterError::Write {
                        what: format!("the parameter {name}"),
                        source: source.into(),
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        serialize(views, Some(metadata)).map_err(|source| ParameterError::Write {
            what: "the parameters".to_owned(),
            source: source.into(),
        })
    }

    /// Compares names and shapes with those that are expected.
    ///
    /// # Errors
    /// [`ParameterError::Mismatch`] naming every parameter that is missing, left over or of another shape.
    pub fn check(&self, expected: &BTreeMap<String, Vec<usize>>) -> Result<(), ParameterError> {
        let missing: Vec<String> = expected
            .keys()
            .filter(|name| self.get(name).is_none())
            .cloned()
            .collect();
        let mis_shaped: Vec<_> = expected
            .iter()
            .filter_map(|(name, shape)| {
                let found = &self.get(name)?.shape;
                (found != shape).then(|| (name.clone(), shape.clone(), found.clone()))
            })
            .collect();
        let unused: Vec<String> = self
            .names()
            .filter(|name| !expected.contains_key(*name))
            .map(str::to_owned)
            .collect();
        if missing.is_empty() && unused.is_empty() && mis_shaped.is_empty() {
            return Ok(());
        }
        Err(ParameterError::Mismatch {
            missing,
            unused,
            mis_shaped,
        })
    }
}

impl FromIterator<(String, NamedTensor)> for NamedTensors {
    fn from_iter<I: IntoIterator<Item = (String, NamedTensor)>>(tensors: I) -> Self {
        Self(tensors.into_iter().collect())
    }
}
