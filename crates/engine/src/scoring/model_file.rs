//! The self-contained model file: weights of backbone and detector, and everything else that scoring needs.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use ckaad_backbone::{Backbone, Precision};
use ckaad_data::Reading;
use ckaad_detectors::{Detector, Setup};
use ckaad_parameters::NamedTensors;
use serde::{Deserialize, Serialize};

use crate::training::Threshold;
use crate::{CheckedConfig, Config, EngineError};

pub(crate) const KIND: &str = "model file";
/// The metadata entry that holds a [`Header`] as JSON.
const KEY: &str = "ckaad_model";
/// Raised whenever older programs could not read the file correctly.
const VERSION: u32 = 2;

/// Where the parameters of either begin.
const BACKBONE: &str = "backbone.";
const DETECTOR: &str = "detector.";

#[derive(Serialize, Deserialize)]
struct Header<I> {
    version: u32,
    info: I,
}

/// The part of a header that stays the same in all versions.
#[derive(Deserialize)]
struct FormatVersion {
    version: u32,
}

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
    /// The version of this program that wrote the file.
    pub version: String,
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
    let header = Header {
        version: VERSION,
        info,
    };
    let json =
        serde_json::to_string(&header).map_err(|error| EngineError::file(path, KIND, error))?;
    // A single entry: several would be written in no fixed order.
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    let backbone = backbone.parameters().prefixed(BACKBONE);
    let detector = detector.parameters().prefixed(DETECTOR);
    let tensors: NamedTensors = backbone
        .iter()
        .chain(detector.iter())
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
        .collect();
    Ok(ckaad_files::write(
        path,
        &tensors.to_safetensors(metadata)?,
    )?)
}

/// Reads what [`write`] wrote, to compute in the precision of the run that trained it unless another is given.
pub(crate) fn read(
    path: &Path,
    precision: Option<Precision>,
    device: &Device,
) -> Result<(Backbone, Box<dyn Detector>, ModelInfo), EngineError> {
    let (mut tensors, metadata) = NamedTensors::read_safetensors(path)?;
    let header = metadata
        .get(KEY)
        .ok_or_else(|| EngineError::file(path, KIND, "it was not written by `ckaad train`"))?;
    let FormatVersion { version } =
        serde_json::from_str(header).map_err(|error| EngineError::file(path, KIND, error))?;
    if version != VERSION {
        let reason = format!(
            "its format version is {version}, this program reads {VERSION}; use the program that wrote it, or train again"
        );
        return Err(EngineError::file(path, KIND, reason));
    }
    let Header { mut info, .. }: Header<ModelInfo> =
        serde_json::from_str(header).map_err(|error| EngineError::file(path, KIND, error))?;
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
