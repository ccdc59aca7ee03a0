//! Features that outlast a run: one file per image, named by what they depend on.

use std::path::PathBuf;

use ckaad_backbone::Backbone;
use sha2::{Digest, Sha256};

use super::precision::FeaturePrecision;
use crate::EngineError;

/// Raised with every change to the program that changes features.
const REVISION: u32 = 1;

/// A folder of features. A file's name is the SHA-256 of the preprocessed pixels, the backbone's weights and stages, the
/// precisions of its products and of what is stored, the kind of device, and the revision of features in this program: what
/// has changed has another name. Devices and processors of different kinds round differently in the last digits, so a folder
/// belongs to machines of one kind.
pub(crate) struct FeatureFolder {
    path: PathBuf,
    context: Sha256,
}

impl FeatureFolder {
    /// The folder at `path`, made if it is missing.
    ///
    /// # Errors
    /// [`EngineError::Io`] if it cannot be made.
    pub(crate) fn open(
        path: PathBuf,
        backbone: &Backbone,
        fingerprint: &str,
        precision: FeaturePrecision,
        device: &str,
    ) -> Result<Self, EngineError> {
        std::fs::create_dir_all(&path).map_err(EngineError::io(&path, "make the folder"))?;
        let network = backbone.config();
        let context = format!(
            "{REVISION} {fingerprint} {:?} {} {precision:?} {} {device}\n",
            network.stages,
            network.precision,
            std::env::consts::ARCH
        );
        Ok(Self {
            path,
            context: Sha256::new().chain_update(context),
        })
    }

    /// The features of an image by its preprocessed pixels `[size, size, 3]`, or `None` if there is no file of that length.
    pub(crate) fn read(&self, pixels: &[u8], length: usize) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.file(pixels)).ok()?;
        (bytes.len() == length).then_some(bytes)
    }

    /// Writes the features of an image, whole or not at all.
    ///
    /// # Errors
    /// [`EngineError::Files`] if the file cannot be written.
    pub(crate) fn write(&self, pixels: &[u8], features: &[u8]) -> Result<(), EngineError> {
        Ok(ckaad_files::write(&self.file(pixels), features)?)
    }

    fn file(&self, pixels: &[u8]) -> PathBuf {
        let key = self.context.clone().chain_update(pixels).finalize();
        let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.path.join(name)
    }
}
