use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use ckaad_parameters::{NamedTensor, NamedTensors};

use crate::DetectorError;

/// Refuses a part of a state that is not as long as it should be.
pub(crate) fn fits(fits: bool, part: &str) -> Result<(), DetectorError> {
    match fits {
        true => Ok(()),
        false => Err(DetectorError::state(part)("it is of another length")),
    }
}

/// What a training that is gone on with starts from: named parts, as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State(pub BTreeMap<String, Vec<u8>>);

impl State {
    /// Adds the parameters of a network.
    pub(crate) fn insert_module<M: Module>(
        &mut self,
        part: &str,
        module: M,
    ) -> Result<(), DetectorError> {
        let bytes = module.into_record().into_bytes();
        self.insert(part, bytes.map_err(DetectorError::state(part))?);
        Ok(())
    }

    /// Gives `module` the parameters that were added by that name.
    pub(crate) fn take_module<M: Module>(
        &mut self,
        part: &str,
        module: M,
    ) -> Result<M, DetectorError> {
        let record =
            ModuleRecord::from_bytes(self.take(part)?).map_err(DetectorError::state(part))?;
        module
            .try_load_record(record)
            .map_err(DetectorError::state(part))
    }

    /// Adds what an optimizer remembers.
    pub(crate) fn insert_optimizer(
        &mut self,
        part: &str,
        optimizer: &ModuleOptimizer,
    ) -> Result<(), DetectorError> {
        let bytes = optimizer.into_bytes().map_err(DetectorError::state(part))?;
        self.insert(part, bytes);
        Ok(())
    }

    /// Gives `optimizer` what was added by that name.
    pub(crate) fn take_optimizer(
        &mut self,
        part: &str,
        optimizer: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, DetectorError> {
        optimizer
            .from_bytes(self.take(part)?)
            .map_err(DetectorError::state(part))
    }

    /// Adds numbers.
    pub(crate) fn insert_numbers(&mut self, part: &str, numbers: impl IntoIterator<Item = f64>) {
        let bytes = numbers.into_iter().flat_map(f64::to_le_bytes).collect();
        self.0.insert(part.to_owned(), bytes);
    }

    /// Takes the numbers that were added by that name.
    pub(crate) fn take_numbers(&mut self, part: &str) -> Result<Vec<f64>, DetectorError> {
        let bytes = self.take(part)?;
        let (numbers, rest) = bytes.as_chunks();
        if rest.is_empty() {
            return Ok(numbers.iter().copied().map(f64::from_le_bytes).collect());
        }
        Err(DetectorError::state(part)("its last number is cut short"))
    }

    /// Adds numbers of single precision.
    pub(crate) fn insert_values(&mut self, part: &str, values: &[f32]) {
        let bytes = values.iter().copied().flat_map(f32::to_le_bytes).collect();
        self.0.insert(part.to_owned(), bytes);
    }

    /// Takes the numbers that were added by that name.
    pub(crate) fn take_values(&mut self, part: &str) -> Result<Vec<f32>, DetectorError> {
        let bytes = self.take(part)?;
        let (values, rest) = bytes.as_chunks();
        if rest.is_empty() {
            return Ok(values.iter().copied().map(f32::from_le_bytes).collect());
        }
        Err(DetectorError::state(part)("its last number is cut short"))
    }

    /// Adds the parameters of a detector, each by its name.
    pub(crate) fn insert_parameters(&mut self, parameters: &NamedTensors) {
        for (name, tensor) in parameters.iter() {
            self.insert_values(name, &tensor.values);
        }
    }

    /// Takes parameters of those names and shapes.
    pub(crate) fn take_parameters(
        &mut self,
        shapes: BTreeMap<String, Vec<usize>>,
    ) -> Result<NamedTensors, DetectorError> {
        let mut parameters = NamedTensors::new();
        for (name, shape) in shapes {
            let values = self.take_values(&name)?;
            fits(values.len() == shape.iter().product::<usize>(), &name)?;
            parameters.insert(name, NamedTensor { shape, values });
        }
        Ok(parameters)
    }

    fn insert(&mut self, part: &str, bytes: Bytes) {
        self.0.insert(part.to_owned(), bytes.to_vec());
    }

    fn take(&mut self, part: &str) -> Result<Bytes, DetectorError> {
        match self.0.remove(part) {
            Some(bytes) => Ok(Bytes::from_bytes_vec(bytes)),
            None => Err(DetectorError::state(part)("it is missing")),
        }
    }
}
