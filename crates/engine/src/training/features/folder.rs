//! Features that outlast a run: one file per image, named by what they depend on.

use std::path::PathBuf;

use ckaad_backbone::Backbone;
use ckaad_files::Untouched;
use sha2::{Digest, Sha256};

use super::precision::FeaturePrecision;
use crate::EngineError;

/// Bytes of a digest.
const DIGEST: usize = 32;
/// Raised with every change to the program that changes features.
const REVISION: u32 = 3;

/// A folder of features. A file's name is the SHA-256 of the preprocessed pixels, the backbone's weights and stages, the
/// precisions of its products and of what is stored, the kind of device and the instructions that its kernels use, and the
/// revision of features in this program: what has changed has another name. At a file's end stands the SHA-256 of its name and of
/// what is before it; one that was damaged, or has the name of another, counts as missing.
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
        ckaad_files::make_folder(&path)?;
        // Other processes may be writing into it.
        ckaad_files::remove_parts(&path, is_name, Untouched::ForAnHour);
        let network = backbone.config();
        let context = format!(
            "{REVISION} {fingerprint} {:?} {} {precision:?} {} {} {device}\n",
            network.stages,
            network.precision,
            std::env::consts::ARCH,
            ckaad_ops::instruction_set(network.precision)
        );
        Ok(Self {
            path,
            context: Sha256::new().chain_update(context),
        })
    }

    /// The features of an image by its preprocessed pixels `[size, size, 3]`, or `None` if there is no whole file of that
    /// length.
    pub(crate) fn read(&self, pixels: &[u8], length: usize) -> Option<Vec<u8>> {
        let name = self.name(pixels);
        let path = self.path.join(&name);
        if !path.exists() {
            return None;
        }
        let sound = |bytes: &Vec<u8>| {
            bytes.len() == length + DIGEST && digest(&name, &bytes[..length]) == bytes[length..]
        };
        match ckaad_files::read(&path, (length + DIGEST) as u64)
            .map(|bytes| sound(&bytes).then_some(bytes))
        {
            Ok(Some(mut bytes)) => {
                bytes.truncate(length);
                Some(bytes)
            }
            _ => {
                tracing::warn!("{} is damaged: computed anew", path.display());
                None
            }
        }
    }

    /// Writes the features of an image, whole or not at all.
    ///
    /// # Errors
    /// [`EngineError::Files`] if the file cannot be written.
    pub(crate) fn write(&self, pixels: &[u8], features: &[u8]) -> Result<(), EngineError> {
        let name = self.name(pixels);
        let bytes = [features, &digest(&name, features)].concat();
        Ok(ckaad_files::write(&self.path.join(name), &bytes)?)
    }

    fn name(&self, pixels: &[u8]) -> String {
        let key = self.context.clone().chain_update(pixels).finalize();
        key.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a file of features has such a name.
fn is_name(name: &str) -> bool {
    name.len() == 2 * DIGEST && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn digest(name: &str, features: &[u8]) -> [u8; DIGEST] {
    let digest = Sha256::new().chain_update(name).chain_update(features);
    digest.finalize().into()
}
