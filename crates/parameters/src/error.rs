use std::error::Error;
use std::path::PathBuf;

use ckaad_files::FileError;

/// Why named parameters could not be read, written or applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is of no known format, or damaged.
    #[error("cannot read {what} in {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What was looked for in it.
        what: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A shape does not fit its number of values.
    #[error("cannot serialise {what}: {source}")]
    Write {
        /// The parameter, or all of them.
        what: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A parameter holds a value that none can have.
    #[error(transparent)]
    Value(#[from] UnusableValue),
    /// Names or shapes do not fit the network.
    #[error(
        "the weights do not fit the network: {}",
        describe(missing, unused, mis_shaped)
    )]
    Mismatch {
        /// Parameters of the network that the weights lack.
        missing: Vec<String>,
        /// Weights that no parameter of the network takes.
        unused: Vec<String>,
        /// Parameters whose shapes differ: name, expected shape, found shape.
        mis_shaped: Vec<(String, Vec<usize>, Vec<usize>)>,
    },
}

/// A parameter holds a value that none can have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the parameter {name} holds {value:?}, which nothing can have learned: the file is damaged, or training failed"
)]
pub struct UnusableValue {
    /// The parameter.
    pub name: String,
    /// The value: no number, infinite, or absurdly large.
    pub value: f32,
}

fn describe(
    missing: &[String],
    unused: &[String],
    mis_shaped: &[(String, Vec<usize>, Vec<usize>)],
) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("missing {}", some_of(missing)));
    }
    if !unused.is_empty() {
        parts.push(format!("not used by it {}", some_of(unused)));
    }
    if !mis_shaped.is_empty() {
        let texts: Vec<String> = mis_shaped
            .iter()
            .map(|(name, expected, found)| format!("{name} should be {expected:?}, is {found:?}"))
            .collect();
        parts.push(format!("of another shape {}", some_of(&texts)));
    }
    parts.join("; ")
}

fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(rest) if rest > 0 => format!("{shown} and {rest} more"),
        _ => shown,
    }
}
