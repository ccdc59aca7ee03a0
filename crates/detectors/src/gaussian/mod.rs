//! Normal images as one Gaussian: the Mahalanobis distance of an image's pooled features from those of normal images. Learns
//! in one pass and seconds, without labels.
//!
//! The map is of another, simpler Gaussian at every position (PaDiM with a diagonal covariance), in units of the normal
//! deviation.

mod detector;
mod trainer;

use std::collections::BTreeMap;

use ckaad_backbone::BackboneConfig;
use ckaad_parameters::NamedTensors;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::detector::GaussianDetector;
use self::trainer::GaussianTrainer;
use crate::{Anomalies, Detector, DetectorError, Needs, Passes, Setup, System, Trainer};

/// It has no settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

impl System for Settings {
    fn needs(&self) -> Needs {
        Needs {
            images: false,
            features: true,
            passes: Passes::Once,
            anomalies: Anomalies::Ignored,
        }
    }

    fn check(&self, _: &BackboneConfig, _: usize) -> Result<(), DetectorError> {
        Ok(())
    }

    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer> {
        Box::new(GaussianTrainer {
            image_size: setup.image_size,
            pooled: Vec::new(),
            positions: Vec::new(),
        })
    }

    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError> {
        let scales = setup.shapes();
        let pooled = 2 * scales.iter().map(|shape| shape[0]).sum::<usize>();
        let mut shapes = BTreeMap::from([
            ("mean".to_owned(), vec![pooled]),
            ("lower".to_owned(), vec![pooled, pooled]),
        ]);
        for (scale, shape) in scales.iter().enumerate() {
            for name in ["position_mean", "position_deviation"] {
                shapes.insert(format!("{name}.{scale}"), shape.to_vec());
            }
        }
        parameters.check(&shapes)?;
        let (scales, size) = (scales.len(), setup.image_size);
        Ok(Box::new(GaussianDetector::new(parameters, scales, size)))
    }
}
