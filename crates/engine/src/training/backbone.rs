//! The backbone of a run, its weights looked up or downloaded.

use burn::tensor::Device;
use ckaad_backbone::Backbone;
use ckaad_backbone::weights::{DownloadOptions, Lookup, Progress};

use crate::config::FeatureSource;
use crate::{CheckedConfig, EngineError};

/// The backbone of a configuration and where its weights came from, for [`TrainContext`](super::TrainContext). Weights that are not at hand
/// are downloaded if there is somebody to tell about the `download`; `None` if there is nobody.
///
/// # Errors
/// [`EngineError::Weights`] if a file that was named is not there or a download fails, [`EngineError::Backbone`] if it holds other weights.
pub fn open_backbone(
    config: &CheckedConfig,
    download: Option<&mut dyn FnMut(Progress)>,
    device: &Device,
) -> Result<Option<(Backbone, String)>, EngineError> {
    let backbone = config.backbone_config()?;
    if config.features == FeatureSource::Random {
        let origin = format!(
            "seeded random features (seed {}), not pretrained",
            config.seed
        );
        return Ok(Some((backbone.random(config.seed, device), origin)));
    }
    let lookup = Lookup::from_environment();
    let variant = config.backbone;
    let file = match (lookup.find(variant, config.weights.as_deref())?, download) {
        (Some(file), _) => file,
        (None, None) => return Ok(None),
        (None, Some(progress)) => lookup.fetch(variant, progress, &DownloadOptions::default())?,
    };
    let origin = file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Some((backbone.load(&file, device)?, origin)))
}
