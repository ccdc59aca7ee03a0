//! The self-contained model file: weights of backbone and auto-encoder, and everything else that scoring needs.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use ckaad_parameters::{NamedTensors, apply, collect};
use serde::{Deserialize, Serialize};

use crate::networks::auto_encoder_config;
use crate::{Config, Detector, EngineError, Threshold, atomic};

const KIND: &str = "model file";
const FORMAT: &str = "ckaad-model";
const VERSION: &str = "1";

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
        let json =
            serde_json::to_string(info).map_err(|error| EngineError::file(path, KIND, error))?;
        let metadata = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("format_version".to_owned(), VERSION.to_owned()),
            ("info".to_owned(), json),
        ]);
        let backbone = self.backbone.parameters().prefixed("backbone.");
        let auto_encoder = collect(&self.auto_encoder).prefixed("auto_encoder.");
        let tensors: NamedTensors = backbone
            .iter()
            .chain(auto_encoder.iter())
            .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
            .collect();
        atomic::write(path, &tensors.to_safetensors(metadata)?)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`EngineError::File`] if it is no model file, or one of a later format; [`EngineError::Parameters`] and
    /// [`EngineError::Backbone`] if it is damaged.
    pub fn load(path: &Path, device: &Device) -> Result<(Self, ModelInfo), EngineError> {
        let (mut tensors, metadata) = NamedTensors::read_safetensors(path)?;
        let entry = |key: &str| metadata.get(key).map(String::as_str);
        if entry("format") != Some(FORMAT) {
            return Err(EngineError::file(
                path,
                KIND,
                "it was not written by `ckaad train`",
            ));
        }
        if entry("format_version") != Some(VERSION) {
            let found = entry("format_version").unwrap_or("unknown");
            let reason = format!("its format version is {found}, this program reads {VERSION}");
            return Err(EngineError::file(path, KIND, reason));
        }
        let info: ModelInfo = serde_json::from_str(entry("info").unwrap_or_default())
            .map_err(|error| EngineError::file(path, KIND, error))?;
        let backbone_config = info.config.backbone_config()?;
        let backbone = backbone_config.from_folded(&tensors.take_prefixed("backbone."), device)?;
        let auto_encoder = auto_encoder_config(&backbone_config, info.config.norm.into());
        let auto_encoder = apply(
            auto_encoder.zeros(device),
            &tensors.take_prefixed("auto_encoder."),
        )?;
        Ok((
            Self::new(&info.config, &backbone, &auto_encoder, device),
            info,
        ))
    }
}
