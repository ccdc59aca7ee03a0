//! The images of a run that it does not learn from, and what stands in for them.

use ckaad_detectors::{Detector, HeldOut, Inputs};

use super::data::ImageScore;
use super::features::FeatureBank;
use super::run::Run;

/// The normal training images that a threshold is chosen on, or a detector tuned, where there are no held-out ones.
const THRESHOLD_IMAGES: usize = 200;

impl HeldOut for Run<'_> {
    fn for_each(&self, visit: &mut dyn FnMut(&Inputs, &[bool])) {
        let (data, labels) = (&self.data, &self.data.validation_labels);
        let mut of_bank = |bank: &FeatureBank, indices: &[usize], labels: &[bool]| {
            for (chunk, inputs) in bank.inputs(indices, self.config, self.with) {
                let labels: Vec<bool> = chunk.iter().map(|&index| labels[index]).collect();
                visit(&inputs, &labels);
            }
        };
        let all: Vec<usize> = (0..data.validation.len()).collect();
        of_bank(&data.validation, &all, labels);
        if !labels.contains(&false) {
            let normal = vec![false; data.normal.len()];
            of_bank(&data.normal, &self.drawn_normals(), &normal);
        }
    }
}

/// Scores of normal images.
pub(super) struct Normals {
    pub(super) scores: Vec<ImageScore>,
    pub(super) held_out: bool,
}

impl Run<'_> {
    /// The scores of normal images that a threshold is chosen on, and whether they were held out; none where validation does it.
    pub(super) fn normals(&self, detector: &dyn Detector, validation: &[ImageScore]) -> Normals {
        let (bank, indices, held_out) = match (&self.data.calibration, &self.data.normal) {
            (held_out, _) if held_out.len() > 0 => (held_out, (0..held_out.len()).collect(), true),
            (_, _) if self.data.validation_labels.contains(&false) => {
                return Normals {
                    // What has maps is known from validation.
                    scores: validation.to_vec(),
                    held_out: false,
                };
            }
            (_, normal) => (normal, self.drawn_normals(), false),
        };
        Normals {
            scores: bank.scores(detector, &indices, self.config, self.with),
            held_out,
        }
    }

    /// Some of the normal training images, to stand in for ones that were held out.
    fn drawn_normals(&self) -> Vec<usize> {
        ckaad_data::draw(self.data.normal.len(), THRESHOLD_IMAGES, self.config.seed)
    }
}
