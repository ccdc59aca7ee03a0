//! What was found in a data set that may be meant, but had better be known.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::NAMED;

/// What a [`Finding`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Masks that belong to no image.
    UnusedMasks,
    /// Anomalous images without a mask where others have one.
    MissingMasks,
    /// Masks of anomalous images that mark no pixel.
    EmptyMasks,
    /// Masks that mark nearly everything.
    InvertedMasks,
    /// Defects that a mask's smaller size would lose.
    VanishingDefects,
    /// Folders whose name says the opposite of what their images count as.
    FolderNames,
    /// Test images of one kind only.
    OneKind,
    /// The same picture in training and test.
    EqualContent,
    /// Nearly the same picture in training and test.
    SimilarContent,
    /// Content was not compared.
    NotCompared,
}

/// A warning about a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// How many images or files it concerns.
    pub count: usize,
    /// The first of them, at most ten.
    pub examples: Vec<String>,
    /// What was found and what to do, in a sentence without the examples.
    pub message: String,
}

/// What was found where the images of a split lie, and what had better be known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataAccount {
    /// How many images count as what, and what was left out, in a line.
    pub found: String,
    /// Warnings.
    pub findings: Vec<Finding>,
}

impl DataAccount {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty() && self.findings.is_empty()
    }
}

impl Finding {
    /// `None` if it concerns nothing.
    pub(crate) fn of(
        kind: FindingKind,
        all: &[String],
        message: impl Into<String>,
    ) -> Option<Self> {
        (!all.is_empty()).then(|| Self {
            kind,
            count: all.len(),
            examples: all.iter().take(NAMED).cloned().collect(),
            message: message.into(),
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.examples.is_empty() {
            write!(f, ": {}", self.examples.join(", "))?;
            if self.count > self.examples.len() {
                write!(f, " and {} more", self.count - self.examples.len())?;
            }
        }
        Ok(())
    }
}
