//! What the page of a comparison shows, as plain data.

use serde::{Deserialize, Serialize};

use crate::run::{Fact, Figure, Gallery, ScoredImage};

/// Several detectors, or several runs, on the same test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ComparisonData {
    /// What the page is called.
    pub title: String,
    /// What they have in common.
    pub facts: Vec<Fact>,
    /// Who is compared.
    pub contestants: Vec<Contestant>,
    /// Which one to take, if that was asked.
    pub verdict: Option<Verdict>,
    /// What was left out, or had better be known, in sentences.
    pub notes: Vec<String>,
    /// Whether each test image that all scored is anomalous.
    pub labels: Vec<bool>,
    /// What the names of its plots begin with.
    pub plots: String,
    /// Pictures of what one of them found.
    pub exhibit: Option<Exhibit>,
}

/// Pictures of what one of several found, missed and flagged by mistake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exhibit {
    /// Whose they are.
    pub name: String,
    /// Its test images.
    pub images: Vec<ScoredImage>,
    /// Images with this score or a higher one are anomalous.
    pub threshold: f64,
    /// The pictures.
    pub gallery: Gallery,
}

/// A detector, a run or a control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contestant {
    /// Its name, no two alike.
    pub name: String,
    /// Figures with intervals; all contestants name them alike.
    pub figures: Vec<Figure>,
    /// Other numbers, such as seconds: name with unit, and value. All contestants name them alike.
    pub numbers: Vec<(String, Option<f64>)>,
    /// What should stand beside the name.
    pub remark: Option<String>,
    /// Its scores.
    pub scores: Scores,
}

/// The scores of the test images, in the order of the labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scores {
    /// One for each label.
    Known(Vec<f64>),
    /// Its figures are shown, no curve is: that of a control, or of one run among several of a kind.
    NotDrawn,
    /// They cannot be had, because of what the text says.
    Missing(String),
}

/// Which contestant to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Verdict {
    pub name: String,
    pub reason: String,
}
