//! The format of a file, and the comparison with it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Check;
use crate::case::Record;

/// What single precision may cost at the least.
const LEAST_TOLERANCE: f64 = 2e-5;
/// The same for what training moves, which is small and rounded coarsely.
const LEAST_MOVED: f64 = 2e-3;
/// How often the recorded cost of single precision is allowed.
const ALLOWED: f64 = 10.0;

/// A file.
#[derive(Debug, Deserialize)]
pub(super) struct Recorded {
    pub(super) system: String,
    case: Value,
    float32_deviation: BTreeMap<String, Value>,
    #[serde(default)]
    scalars: BTreeMap<String, Value>,
    #[serde(default)]
    indices: BTreeMap<String, Vec<usize>>,
    tensors: BTreeMap<String, Record>,
    #[serde(default)]
    steps: Vec<Value>,
    #[serde(default)]
    groups: BTreeMap<String, usize>,
}

impl Recorded {
    /// `step.T/NAME` of every number that is recorded of a training step.
    fn of_steps(&self) -> impl Iterator<Item = String> {
        fn numbers(prefix: String, value: &Value, names: &mut Vec<String>) {
            match value {
                Value::Object(parts) => {
                    for (name, part) in parts {
                        numbers(format!("{prefix}/{name}"), part, names);
                    }
                }
                _ => names.push(prefix),
            }
        }
        let mut names = Vec::new();
        for (step, record) in self.steps.iter().enumerate() {
            numbers(format!("step.{step}"), record, &mut names);
        }
        names.into_iter()
    }
}

/// The numbers of an array, of arrays one after the other, or the one that it is.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        value => value.as_f64().into_iter().collect(),
    }
}

/// Figures of ours beside the recorded ones.
pub(super) struct Figures<'a> {
    recorded: &'a Recorded,
    left: BTreeSet<String>,
    checks: Vec<Check>,
}

impl<'a> Figures<'a> {
    pub(super) fn new(recorded: &'a Recorded) -> Self {
        let scalars = recorded.scalars.keys().chain(recorded.indices.keys());
        let left = scalars.chain(recorded.tensors.keys());
        Self {
            recorded,
            left: left.cloned().chain(recorded.of_steps()).collect(),
            checks: Vec::new(),
        }
    }

    /// The settings of the case.
    pub(super) fn case<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        T::deserialize(&self.recorded.case).context("its case")
    }

    /// Whether a tensor of that name is recorded.
    pub(super) fn records(&self, name: &str) -> bool {
        self.recorded.tensors.contains_key(name)
    }

    /// The shape of a recorded tensor.
    pub(super) fn shape(&self, name: &str) -> anyhow::Result<Vec<usize>> {
        let record = self.recorded.tensors.get(name);
        let record = record.with_context(|| format!("it records no tensor {name}"))?;
        Ok(record.shape.clone())
    }

    /// The groups that norms of gradients are recorded of.
    pub(super) fn groups(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.recorded.groups.keys().map(String::as_str)
    }

    /// Indices that are recorded, to compute from.
    pub(super) fn recorded_indices(&self, name: &str) -> anyhow::Result<&'a [usize]> {
        let indices = self.recorded.indices.get(name);
        Ok(indices.with_context(|| format!("it records no {name}"))?)
    }

    /// Compares the probes and, so that no element goes unseen, the norm of a tensor: errors relative to its root mean square.
    pub(super) fn tensor(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = impl Into<f64>>,
    ) -> anyhow::Result<()> {
        let record = self.recorded.tensors.get(name);
        let record = record.with_context(|| format!("it records no tensor {name}"))?;
        let values: Vec<f64> = values.into_iter().map(Into::into).collect();
        let count: usize = record.shape.iter().product();
        ensure!(
            values.len() == count,
            "{name} has {} elements instead of {count}",
            values.len()
        );
        let norm = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
        let typical = record.l2 / (count as f64).sqrt();
        let probes = record
            .probes
            .iter()
            .map(|&(at, value)| (values[at] - value) / typical);
        let whole = (norm(&values) - record.l2) / record.l2;
        self.push(name, probes.chain([whole]));
        Ok(())
    }

    /// Compares numbers: relative errors.
    pub(super) fn scalars(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = impl Into<f64>>,
    ) -> anyhow::Result<()> {
        let recorded = self.recorded.scalars.get(name);
        let recorded = recorded.with_context(|| format!("it records no {name}"))?;
        self.numbers(name, recorded, values)
    }

    /// How many training steps are recorded.
    pub(super) fn steps(&self) -> usize {
        self.recorded.steps.len()
    }

    /// Compares a figure of a training step, named by its path.
    pub(super) fn step(
        &mut self,
        step: usize,
        path: &str,
        values: impl IntoIterator<Item = impl Into<f64>>,
    ) -> anyhow::Result<()> {
        let mut recorded = self.recorded.steps.get(step);
        for part in path.split('/') {
            recorded = recorded.and_then(|record| record.get(part));
        }
        let recorded = recorded.with_context(|| format!("step {step} records no {path}"))?;
        self.numbers(&format!("step.{step}/{path}"), recorded, values)
    }

    fn numbers(
        &mut self,
        name: &str,
        recorded: &Value,
        values: impl IntoIterator<Item = impl Into<f64>>,
    ) -> anyhow::Result<()> {
        let expected = flat(recorded);
        let values: Vec<f64> = values.into_iter().map(Into::into).collect();
        ensure!(
            values.len() == expected.len(),
            "{name} has {} numbers instead of {}",
            values.len(),
            expected.len()
        );
        let error = |(a, b): (&f64, &f64)| match a == b {
            // Zero is as large as zero.
            true => 0.0,
            false => (a - b) / b,
        };
        self.push(name, values.iter().zip(&expected).map(error));
        Ok(())
    }

    /// Compares indices, which must be equal.
    pub(super) fn indices(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = usize>,
    ) -> anyhow::Result<()> {
        let expected = self.recorded_indices(name)?;
        let values: Vec<usize> = values.into_iter().collect();
        ensure!(
            values.len() == expected.len(),
            "{name} has {} indices instead of {}",
            values.len(),
            expected.len()
        );
        let differ = values.iter().zip(expected).filter(|(a, b)| a != b).count();
        self.left.remove(name);
        self.checks.push(Check {
            name: name.to_owned(),
            error: differ as f64 / values.len() as f64,
            tolerance: 0.0,
        });
        Ok(())
    }

    /// All comparisons, if nothing that is recorded went without one. `properties` are the ends of names that describe the case, not the
    /// system.
    pub(super) fn finish(self, properties: &[&str]) -> anyhow::Result<Vec<Check>> {
        let described = |name: &String| properties.iter().any(|property| name.ends_with(property));
        let left: Vec<String> = self
            .left
            .into_iter()
            .filter(|name| !described(name))
            .collect();
        ensure!(left.is_empty(), "not computed here: {left:?}");
        Ok(self.checks)
    }

    fn push(&mut self, name: &str, errors: impl Iterator<Item = f64>) {
        let (kind, least) = match name.split(['.', '/']).collect::<Vec<_>>()[..] {
            ["moved", ..] => ("moved", LEAST_MOVED),
            // The number of a step after the first.
            ["gradient", step, ..] if step.parse::<usize>().is_ok() => ("later", LEAST_TOLERANCE),
            ["gradient", ..] | ["step", "0", ..] => ("first_step", LEAST_TOLERANCE),
            ["trained" | "step", ..] => ("later", LEAST_TOLERANCE),
            _ => ("forward", LEAST_TOLERANCE),
        };
        let deviation = self.recorded.float32_deviation.get(kind);
        let deviation = deviation
            .and_then(|of_kind| of_kind[0].as_f64())
            .unwrap_or(0.0);
        // Anything that is not a number is as wrong as can be.
        let error = errors.fold(0.0, |largest: f64, error| match error.is_nan() {
            true => f64::INFINITY,
            false => largest.max(error.abs()),
        });
        self.left.remove(name);
        self.checks.push(Check {
            name: name.to_owned(),
            error,
            tolerance: (ALLOWED * deviation).max(least),
        });
    }
}
