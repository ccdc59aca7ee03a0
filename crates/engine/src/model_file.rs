//! The self-contained model file: weights of backbone and auto-encoder, and everything else that scoring needs.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use ckaad_backbone::Precision;
use ckaad_parameters::{NamedTensors, apply, collect};
use serde::{Deserialize, Serialize};

use crate::networks::auto_encoder_config;
use crate::{Config, Detector, EngineError, Threshold};

const KIND: &str = "model file";
/// The metadata entry that holds a [`Header`] as JSON.
const KEY: &str = "ckaad_model";
/// Raised whenever older programs could not read the file correctly.
const VERSION: u32 = 1;

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
    pub config: Config,
    /// What happens to an image before the networks see it.
    pub preprocessing: Preprocessing,
    /// When an image counts as anomalous.
    pub threshold: Threshold,
    /// The epoch after which the weights were taken.
    pub epoch: usize,
    /// AUROC on the validation images after that epoch.
    pub validation_auroc: Option<f64>,
    /// Where the backbone's weights came from.
    pub weights: String,
    /// The version of this program that wrote the file.
    pub version: String,
}

/// What happens to an image before the networks see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Side in pixels of the square that images are resized to.
    pub size: usize,
    /// How.
    pub resize: String,
    /// Means of red, green and blue (of values in `[0, 1]`).
    pub mean: [f32; 3],
    /// Standard deviations of the same.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// That of a model for images of that size.
    pub fn new(size: usize) -> Self {
        Self {
            size,
            resize: "bilinear with antialiasing, straight to the square".to_owned(),
            mean: ckaad_data::MEAN,
            std: ckaad_data::STD,
        }
    }
}

impl Detector {
    /// Writes the model file, whole or not at all.
    ///
    /// # Errors
    /// [`EngineError::Io`] if it cannot be written.
    pub(crate) fn save(&self, path: &Path, info: &ModelInfo) -> Result<(), EngineError> {
        let json = serde_json::to_string(&Header {
            version: VERSION,
            info,
        })
        .map_err(|error| EngineError::file(path, KIND, error))?;
        // A single entry: several would be written in no fixed order.
        let metadata = HashMap::from([(KEY.to_owned(), json)]);
        let backbone = self.backbone.parameters().prefixed("backbone.");
        let auto_encoder = collect(&self.auto_encoder).prefixed("auto_encoder.");
        let tensors: NamedTensors = backbone
            .iter()
            .chain(auto_encoder.iter())
            .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
            .collect();
        Ok(ckaad_data::write_file(
            path,
            &tensors.to_safetensors(metadata)?,
        )?)
    }

    /// Reads a model file, to compute in the precision of the run that trained it unless another is given.
    ///
    /// # Errors
    /// [`EngineError::Parameters`] if it cannot be read, [`EngineError::File`] if it is no model file, one of a later
    /// format, or damaged, [`EngineError::Setting`] if the device cannot compute in the precision.
    pub fn load(
        path: &Path,
        precision: Option<Precision>,
        device: &Device,
    ) -> Result<(Self, ModelInfo), EngineError> {
        let (mut tensors, metadata) = NamedTensors::read_safetensors(path)?;
        let failed = |reason: String| EngineError::file(path, KIND, reason);
        let header = metadata
            .get(KEY)
            .ok_or_else(|| failed("it was not written by `ckaad train`".to_owned()))?;
        let FormatVersion { version } =
            serde_json::from_str(header).map_err(|error| failed(error.to_string()))?;
        if version != VERSION {
            return Err(failed(format!(
                "its format version is {version}, this program reads {VERSION}"
            )));
        }
        let Header { mut info, .. }: Header<ModelInfo> =
            serde_json::from_str(header).map_err(|error| failed(error.to_string()))?;
        info.config
            .validate()
            .map_err(|error| failed(error.to_string()))?;
        info.config.precision = precision.unwrap_or(info.config.precision);
        info.config.check_device(device)?;
        if info.preprocessing != Preprocessing::new(info.config.image_size) {
            return Err(failed(
                "it asks for a preprocessing that this program does not have".to_owned(),
            ));
        }
        let backbone_config = info.config.backbone_config()?;
        let backbone = backbone_config
            .from_folded(&tensors.take_prefixed("backbone."), device)
            .map_err(|error| failed(error.to_string()))?;
        let auto_encoder = auto_encoder_config(&backbone_config, info.config.norm);
        let auto_encoder = apply(
            auto_encoder.zeros(device),
            &tensors.take_prefixed("auto_encoder."),
        )
        .map_err(|error| failed(error.to_string()))?;
        Ok((
            Self::new(&info.config, &backbone, &auto_encoder, device),
            info,
        ))
    }
}
