//! The self-contained model file: weights of backbone and detector, and everything else that scoring needs.

use std::path::Path;

use burn::tensor::Device;
use ckaad_backbone::{Backbone, Precision};
use ckaad_data::Reading;
use ckaad_detectors::{Detector, Setup};
use ckaad_parameters::{NamedTensors, Seal, SealError, Sealed};
use serde::{Deserialize, Serialize};

use crate::training::Threshold;
use crate::{CheckedConfig, Config, EngineError};

pub(crate) const KIND: &str = "model file";
/// Its metadata hold a [`ModelInfo`].
pub(crate) const SEAL: Seal = Seal {
    key: "ckaad_model",
    version: 3,
};

/// Where the parameters of either begin.
pub(crate) const BACKBONE: &str = "backbone.";
const DETECTOR: &str = "detector.";

/// What a model file says besides the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Settings of the run.
    pub config: CheckedConfig,
    /// What happens to an image before the networks see it.
    pub preprocessing: Preprocessing,
    /// When an image counts as anomalous.
    pub threshold: Threshold,
    /// The scores of held-out normal images, if there were any.
    #[serde(default)]
    pub calibration: Vec<f64>,
    /// How its maps are shown, if it makes any.
    pub maps: Option<MapInfo>,
    /// The epoch after which the weights were taken.
    pub epoch: usize,
    /// AUROC on the validation images after that epoch.
    pub validation_auroc: Option<f64>,
    /// Where the backbone's weights came from.
    pub weights: String,
    /// The [fingerprint](ckaad_data::Split::fingerprint) of the images that the run learned from. Together with the settings it says which run
    /// the model is of.
    pub images: String,
    /// The version of this program that wrote the file.
    pub version: String,
}

impl ModelInfo {
    /// Refuses numbers that nothing can be compared with. (JSON has none that are not finite, but a large one becomes infinite in single
    /// precision.)
    fn check(&self) -> Result<(), String> {
        let thresholds = [
            Some(&self.threshold),
            self.maps.as_ref().map(|maps| &maps.threshold),
        ];
        let scores = thresholds
            .into_iter()
            .flatten()
            .map(|threshold| &threshold.value);
        if !scores
            .chain(&self.calibration)
            .all(|score| score.is_finite())
        {
            return Err("a threshold or a calibration score is no finite number".to_owned());
        }
        match &self.maps {
            Some(MapInfo {
                range: [low, high], ..
            }) if !(low.is_finite() && high.is_finite() && low <= high) => {
                Err(format!("its maps range from {low} to {high}"))
            }
            _ => Ok(()),
        }
    }
}

/// How the maps of a model are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapInfo {
    /// When a pixel counts as anomalous: chosen on the largest values of maps as the image's threshold is on scores.
    pub threshold: Threshold,
    /// The values that pictures of a map show as nothing and as everything.
    pub range: [f32; 2],
}

/// What happens to an image before the networks see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Side in pixels of the square that images are resized to.
    pub size: usize,
    /// How.
    pub resize: String,
    /// How pixels are read where a file leaves a choice.
    #[serde(default)]
    pub reading: Reading,
    /// Means of red, green and blue (of values in `[0, 1]`).
    pub mean: [f32; 3],
    /// Standard deviations of the same.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// That of a model for images of that size, read in that way.
    pub fn new(size: usize, reading: Reading) -> Self {
        Self {
            size,
            reading,
            resize: "bilinear with antialiasing, straight to the square".to_owned(),
            mean: ckaad_data::MEAN,
            std: ckaad_data::STD,
        }
    }
}

/// Writes a model file, whole or not at all.
pub(crate) fn write(
    path: &Path,
    backbone: &Backbone,
    detector: &dyn Detector,
    info: &ModelInfo,
) -> Result<(), EngineError> {
    let backbone = backbone.parameters().prefixed(BACKBONE);
    let detector = detector.parameters().prefixed(DETECTOR);
    let tensors: NamedTensors = backbone
        .iter()
        .chain(detector.iter())
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
        .collect();
    // Nothing is written that would be refused when it is read.
    let failed = |error| EngineError::sealed(path, KIND, error);
    tensors
        .check_values()
        .map_err(|value| failed(value.into()))?;
    let bytes = SEAL.to_bytes(tensors.views()?, info).map_err(failed)?;
    Ok(ckaad_files::write(path, &bytes)?)
}

/// Reads what [`write`] wrote, to compute in the precision of the run that trained it unless another is given.
pub(crate) fn read(
    path: &Path,
    precision: Option<Precision>,
    device: &Device,
) -> Result<(Backbone, Box<dyn Detector>, ModelInfo), EngineError> {
    let failed = |error| EngineError::sealed(path, KIND, error);
    let file = SEAL.read(path).map_err(failed)?;
    let (info, tensors) = contents(&file).map_err(failed)?;
    drop(file);
    open((info, tensors), path, precision, device)
}

/// What a model file says, and its parameters.
pub(crate) fn contents(file: &Sealed) -> Result<(ModelInfo, NamedTensors), SealError> {
    Ok((file.info()?, file.parameters()?))
}

/// [`read`] from what was in the file; `path` is for messages.
pub(crate) fn open(
    (mut info, mut tensors): (ModelInfo, NamedTensors),
    path: &Path,
    precision: Option<Precision>,
    device: &Device,
) -> Result<(Backbone, Box<dyn Detector>, ModelInfo), EngineError> {
    info.check()
        .map_err(|reason| EngineError::file(path, KIND, reason))?;
    if let Some(precision) = precision {
        let config = info.config.into_inner();
        info.config = Config {
            precision,
            ..config
        }
        .check()?;
    }
    let config = &info.config;
    config.check_device(device)?;
    if info.preprocessing != Preprocessing::new(config.image_size, info.preprocessing.reading) {
        let reason = "it asks for a preprocessing that this program does not have";
        return Err(EngineError::file(path, KIND, reason));
    }
    let backbone = config
        .backbone_config()?
        .from_folded(&tensors.take_prefixed(BACKBONE), device)
        .map_err(|error| EngineError::file(path, KIND, error))?;
    let setup = Setup {
        steps: 0,
        backbone: &backbone,
        image_size: config.image_size,
        seed: config.seed,
        device,
    };
    let detector = config
        .detector
        .load(&setup, tensors.take_prefixed(DETECTOR))
        .map_err(|error| EngineError::file(path, KIND, error))?;
    Ok((backbone, detector, info))
}
