//! A recorded figure beside one of ours.

use anyhow::{Context, ensure};

use crate::Golden;
use crate::case::Record;

/// One figure compared.
#[derive(Debug, Clone)]
pub struct Check {
    /// Which figure.
    pub name: String,
    /// Relative error: the Euclidean norm of the difference over that of the expected values.
    pub error: f64,
    /// The largest error allowed.
    pub tolerance: f64,
}

impl Check {
    /// Whether the error is within the tolerance.
    pub fn passed(&self) -> bool {
        self.error <= self.tolerance
    }

    /// Whether the figure of a system is a gradient or what became of parameters by gradients. Those depend on which side of a ReLU an activation
    /// falls: of a million, one lies within rounding of zero, and rounding differs from processor to processor. What is off in single
    /// precision is then judged in double.
    pub fn follows_gradients(&self) -> bool {
        let after = ["moved.", "trained."];
        self.name.contains("grad") || after.iter().any(|kind| self.name.starts_with(kind))
    }
}

/// Compares the probes and, so that no region goes unseen, the norm of the whole tensor.
pub(crate) fn check(
    name: &str,
    golden: &Golden,
    values: &[f32],
    tolerance: f64,
) -> anyhow::Result<Check> {
    let record: &Record = golden
        .tensors
        .get(name)
        .with_context(|| format!("the case records no tensor {name}"))?;
    let count: usize = record.shape.iter().product();
    ensure!(
        values.len() == count,
        "{name} has {} elements instead of {count}",
        values.len()
    );
    let probes = record
        .probes
        .iter()
        .map(|&(index, expected)| (f64::from(values[index]), expected));
    let l2 = values
        .iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        .sqrt();
    Ok(Check {
        name: name.to_owned(),
        error: relative(probes).max(relative([(l2, record.l2)])),
        tolerance,
    })
}

/// Euclidean norm of the differences over that of the expected values. A NaN anywhere makes it infinite.
pub(crate) fn relative(pairs: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (mut difference, mut norm) = (0.0, 0.0);
    for (found, expected) in pairs {
        difference += (found - expected).powi(2);
        norm += expected.powi(2);
    }
    let error = difference.sqrt() / norm.sqrt().max(f64::MIN_POSITIVE);
    if error.is_nan() { f64::INFINITY } else { error }
}
