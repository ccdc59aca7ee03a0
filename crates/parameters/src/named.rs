use std::borrow::Cow;
use std::collections::BTreeMap;

use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, View, serialize};

use crate::{ParameterError, UnusableValue};

/// Largest magnitude of a parameter: far above any that was ever learned, and so far below the largest number that what comes of a few
/// together is still one.
const LARGEST: f32 = 1e30;

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

    /// Every parameter as safetensors takes it: little-endian `f32`.
    ///
    /// # Errors
    /// [`ParameterError::Write`] if a shape does not fit its number of values.
    pub fn views(&self) -> Result<Vec<(&str, ParameterView<'_>)>, ParameterError> {
        let view = |(name, tensor)| {
            let view = ParameterView(tensor);
            let shape = &view.0.shape;
            if shape.iter().product::<usize>() == view.0.values.len() {
                return Ok((name, view));
            }
            let (shape, bytes) = (shape.clone(), view.data_len());
            Err(ParameterError::Write {
                what: format!("the parameter {name}"),
                source: SafeTensorError::InvalidTensorView(Dtype::F32, shape, bytes).into(),
            })
        };
        self.iter().map(view).collect()
    }

    /// The bytes of a safetensors file with these parameters.
    ///
    /// # Errors
    /// [`ParameterError::Write`] if a shape does not fit its number of values.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, ParameterError> {
        serialize(self.views()?, None).map_err(|source| ParameterError::Write {
            what: "the parameters".to_owned(),
            source: source.into(),
        })
    }

    /// Refuses values that no parameter can have: comparisons with what comes of them would say nothing.
    ///
    /// # Errors
    /// [`UnusableValue`], the first one.
    pub fn check_values(&self) -> Result<(), UnusableValue> {
        // Not so for a value that is no number, either.
        let usable = |value: &f32| value.abs() <= LARGEST;
        for (name, tensor) in self.iter() {
            if let Some(value) = tensor.values.iter().find(|value| !usable(value)) {
                return Err(UnusableValue {
                    name: name.to_owned(),
                    value: *value,
                });
            }
        }
        Ok(())
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

/// A parameter as safetensors takes it; its bytes are made when they are written.
#[derive(Debug, Clone, Copy)]
pub struct ParameterView<'a>(&'a NamedTensor);

impl View for ParameterView<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = self.0.values.iter();
        Cow::Owned(values.flat_map(|value| value.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        size_of_val(self.0.values.as_slice())
    }
}

impl FromIterator<(String, NamedTensor)> for NamedTensors {
    fn from_iter<I: IntoIterator<Item = (String, NamedTensor)>>(tensors: I) -> Self {
        Self(tensors.into_iter().collect())
    }
}
