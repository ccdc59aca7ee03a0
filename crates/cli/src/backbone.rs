//! The backbone of a configuration, its weights looked up or downloaded.

use anyhow::Context;
use ckaad_backbone::Backbone;
use ckaad_backbone::weights::{Progress, WeightsError};
use ckaad_device::Device;
use ckaad_engine::training::open_backbone;
use ckaad_engine::{CheckedConfig, EngineError};

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
    let mut progress = download_progress(display);
    let download: Option<&mut dyn FnMut(Progress)> = match network {
        Network::Allowed => Some(&mut progress),
        Network::Forbidden => None,
    };
    match open_backbone(config, download, device) {
        Err(EngineError::Weights(error)) if is_of_download(&error) => {
            let variant = config.backbone;
            Err(error).with_context(|| {
                Advised::new(
                    format!("no weights of {variant} at hand and none downloaded"),
                    "name a file by --weights, or use random features by --random-features",
                )
            })
        }
        opened => Ok(opened?),
    }
}

/// Whether it was not the file or folder that the user named.
fn is_of_download(error: &WeightsError) -> bool {
    !matches!(
        error,
        WeightsError::NotAFile { .. } | WeightsError::NotAFolder { .. }
    )
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
