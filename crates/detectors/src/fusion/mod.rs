//! Several detectors as one. Each member learns by itself; the score is the weighted mean of their scores, each standardised by those of normal
//! images that were not learned from, and so is the map.
//!
//! The weights are chosen on the validation images: of those that DeLong's paired test cannot tell from the best, the most even ones. A member
//! that gets none is not in the model.

mod detector;
mod member;
mod standard;
mod trainer;
mod weights;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::FusionDetector;
pub use self::member::Member;
use self::trainer::FusionTrainer;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

/// How many members there can be.
const MEMBERS: std::ops::RangeInclusive<usize> = 2..=6;

/// Which detectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The members, no two of one name.
    pub members: Vec<Member>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            members: ["probe", "cka-patch"].map(Member::with_defaults).to_vec(),
        }
    }
}

impl Settings {
    fn needs_of_members(&self) -> impl Iterator<Item = Needs> {
        self.members.iter().map(|member| member.needs())
    }
}

impl System for Settings {
    fn needs(&self) -> Needs {
        let any = |holds: fn(&Needs) -> bool| self.needs_of_members().any(|needs| holds(&needs));
        let instead = "--set 'detector.members=[\"patchcore\",\"padim\"]'";
        Needs {
            images: any(|needs| needs.images),
            features: any(|needs| needs.features),
            passes: match (
                any(|needs| needs.passes == Passes::Epochs),
                any(|needs| needs.passes == Passes::Once),
            ) {
                (true, true) => Passes::OnceThenEpochs,
                (true, false) => Passes::Epochs,
                (false, _) => Passes::Once,
            },
            anomalies: if any(|needs| matches!(needs.anomalies, Anomalies::Required { .. })) {
                Anomalies::Required { instead }
            } else if any(|needs| needs.anomalies.are_looked_at()) {
                Anomalies::Used { instead }
            } else {
                Anomalies::Ignored
            },
        }
    }

    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError> {
        let names: Vec<&str> = self.members.iter().map(Member::name).collect();
        let refuse = |reason: String| {
            let value = format!("{names:?}");
            Err(DetectorError::setting("detector.members", value, reason))
        };
        if !MEMBERS.contains(&names.len()) {
            return refuse(format!(
                "must be {} to {} detectors",
                MEMBERS.start(),
                MEMBERS.end()
            ));
        }
        if names.contains(&"fusion") {
            return refuse("a fusion is no member of another".to_owned());
        }
        if let Some(twice) = (1..names.len()).find(|&index| names[..index].contains(&names[index]))
        {
            return refuse(format!("{} is there twice", names[twice]));
        }
        let drawn = |member: &&Member| matches!(member.needs().anomalies, Anomalies::Drawn { .. });
        if let Some(member) = self.members.iter().find(drawn) {
            let reason =
                "learns from anomalies drawn into the images, which its fellows must not see";
            return refuse(format!("{} {reason}", member.name()));
        }
        for member in &self.members {
            member.check(backbone, image_size)?;
        }
        Ok(())
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(FusionTrainer::new(self, setup))
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let detector = FusionDetector::from_parameters(&self.members, setup, parameters)?;
        Ok(Box::new(detector))
    }
}
