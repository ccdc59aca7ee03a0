//! What the page of a benchmark shows, as plain data.

use serde::{Deserialize, Serialize};

use crate::comparison::ComparisonData;
use crate::run::Fact;

/// Runs on one or several sets of test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkData {
    /// What the page is called.
    pub title: String,
    /// What the runs have in common.
    pub facts: Vec<Fact>,
    /// What was left out, or had better be known, in sentences.
    pub notes: Vec<String>,
    /// The runs by their test images: a data set, or a class of one.
    pub groups: Vec<Group>,
}

/// Runs on the same test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The runs; its title is what the images are called.
    pub comparison: ComparisonData,
    /// For each of them what it is apart from its seed: runs of one kind are summarised by their mean.
    pub kinds: Vec<String>,
}

impl Group {
    /// The values of a figure in the runs of a kind.
    pub(crate) fn values(&self, kind: &str, figure: &str) -> Vec<f64> {
        let runs = self.kinds.iter().zip(&self.comparison.contestants);
        runs.filter(|(of, _)| *of == kind)
            .flat_map(|(_, run)| &run.figures)
            .filter(|of| of.name == figure)
            .filter_map(|of| of.value)
            .collect()
    }
}
