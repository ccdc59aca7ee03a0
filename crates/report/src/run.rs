//! What the page of a run shows, as plain data.

use serde::{Deserialize, Serialize};

use crate::picture::Shot;

/// A run on its test images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunData {
    /// What the page is called.
    pub title: String,
    /// Where the figures come from: detector, weights, device, versions, times.
    pub facts: Vec<Fact>,
    /// The figures of each model of the run, the one that scored `images` first.
    pub models: Vec<ModelFigures>,
    /// Why there are no figures of pixels, if there are none.
    pub no_pixels: Option<String>,
    /// What was used, left out and warned of.
    pub account: Account,
    /// The course of training.
    pub epochs: Vec<Epoch>,
    /// The test images.
    pub images: Vec<ScoredImage>,
    /// When an image counts as anomalous.
    pub threshold: Option<ThresholdData>,
    /// Pictures of some of the images.
    pub gallery: Gallery,
    /// Every setting, as a file (TOML).
    pub config: String,
    /// The images of each part.
    pub lists: Vec<ImageList>,
    /// What each figure is: its name, and a sentence.
    pub definitions: Vec<Fact>,
}

/// A name and a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Fact {
    pub name: String,
    pub text: String,
}

impl Fact {
    /// From anything that can be written.
    pub fn new(name: impl Into<String>, text: impl ToString) -> Self {
        Self {
            name: name.into(),
            text: text.to_string(),
        }
    }
}

/// The figures of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFigures {
    /// Which model: "after the last epoch (8)".
    pub name: String,
    /// Its figures; models of a run name them alike.
    pub figures: Vec<Figure>,
}

/// A share of images or pixels, or an area, in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is called.
    pub name: String,
    /// Its value; `None` where it has none.
    pub value: Option<f64>,
    /// Its 95 % confidence interval, where there is one.
    pub interval: Option<[f64; 2]>,
    /// What it was counted on: "75 of 78".
    pub counts: Option<String>,
}

/// What became of the images that were given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Numbers of images by part.
    pub used: Vec<(String, usize)>,
    /// What was found and left out, in a line.
    pub found: String,
    /// Images that were to be used and could not be.
    pub left_out: Vec<String>,
    /// What had better be known of the images.
    pub warnings: Vec<String>,
    /// What the images give away without any network, if that was looked at: AUROC of each control.
    pub controls: Vec<Figure>,
}

/// An epoch of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Means of losses, by name.
    pub losses: Vec<(String, f64)>,
    /// AUROC of the validation images, if there are both kinds.
    pub validation_auroc: Option<f64>,
}

/// A test image, and what the model says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredImage {
    /// Where it is.
    pub path: String,
    /// Its class.
    pub class: String,
    /// Whether it is anomalous.
    pub anomalous: bool,
    /// The higher, the more anomalous.
    pub score: f64,
    /// The probability of such a score if the image is normal, if the model was calibrated.
    pub p_value: Option<f64>,
}

/// When an image counts as anomalous.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdData {
    /// Images with this score or a higher one are anomalous.
    pub value: f64,
    /// How it was chosen.
    pub rule: String,
    /// The largest probability that a new normal image is flagged, if held-out normal images promise one.
    pub promise: Option<f64>,
}

/// Pictures of some of the images.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Gallery {
    /// The pictures.
    pub shots: Vec<Shot>,
    /// What colours mean; `None` if the model tells no places.
    pub legend: Option<Legend>,
    /// What should be known of the pictures, in sentences.
    pub notes: Vec<String>,
}

/// What the colours of heat mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Legend {
    /// Colours with opacity from the lowest to the highest value shown, in equal steps: red, green, blue, alpha.
    pub colours: Vec<[u8; 4]>,
    /// Below this value a picture is left as it is.
    pub clear: f64,
    /// From this value on a pixel counts as anomalous: where lines are drawn.
    pub threshold: f64,
    /// From this value on the colour stays the same.
    pub full: f64,
}

/// The images of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageList {
    /// What they served for.
    pub name: String,
    /// Where they are.
    pub paths: Vec<String>,
}

impl RunData {
    /// Whether an image is flagged; none is without a threshold.
    pub(crate) fn is_flagged(&self, image: &ScoredImage) -> bool {
        let threshold = self.threshold.as_ref();
        threshold.is_some_and(|threshold| image.score >= threshold.value)
    }

    /// How many images are normal and anomalous.
    pub(crate) fn kinds(&self) -> [usize; 2] {
        let anomalous = self.images.iter().filter(|image| image.anomalous).count();
        [self.images.len() - anomalous, anomalous]
    }
}
