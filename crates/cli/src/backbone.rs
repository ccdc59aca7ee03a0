//! The backbone of a configuration, its weights looked up or downloaded.

use anyhow::Context;
use ckaad_backbone::Backbone;
use ckaad_backbone::weights::{DownloadOptions, Lookup, Progress};
use ckaad_device::Device;
use ckaad_engine::CheckedConfig;
use ckaad_engine::config::FeatureSource;

use crate::failure::Advised;
use crate::progress::Display;

/// Whether weights that are not at hand may be downloaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    Allowed,
    Forbidden,
}

/// The backbone and where its weights came from, or `None` if they are not at hand and must not be downloaded.
pub(crate) fn open(
    config: &CheckedConfig,
    network: Network,
    device: &Device,
    display: &Display,
) -> anyhow::Result<Option<(Backbone, String)>> {
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
    let file = match lookup.find(variant, config.weights.as_deref())? {
        Some(file) => file,
        None if network == Network::Forbidden => return Ok(None),
        None => lookup
            .fetch(
                variant,
                &mut download_progress(display),
                &DownloadOptions::default(),
            )
            .with_context(|| {
                Advised::new(
                    format!("no weights of {variant} at hand and none downloaded"),
                    "name a file by --weights, or use random features by --random-features",
                )
            })?,
    };
    let origin = file
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Some((backbone.load(&file, device)?, origin)))
}

/// Shows a download.
pub(crate) fn download_progress(display: &Display) -> impl FnMut(Progress) {
    |progress| {
        let total = progress.total.unwrap_or(progress.bytes);
        display.progress(
            "downloading weights (KiB)",
            (progress.bytes >> 10) as usize,
            (total >> 10) as usize,
        );
    }
}
