//! Features on disk, one file per image, named by everything that they depend on.

use std::io::Write;
use std::path::PathBuf;

use ckaad_backbone::Backbone;
use sha2::{Digest, Sha256};

use super::precision::{FeaturePrecision, Record};
use crate::EngineError;

/// A folder of features. A file's name is the SHA-256 of the preprocessed pixels, the backbone's weights and stages, the
/// precision, the device and the program's version, so that no file can be taken for another's: what has changed has
/// another name.
pub(crate) struct FeatureFolder {
    path: PathBuf,
    context: Sha256,
    precision: FeaturePrecision,
    /// Removes the folder with it, if it is one of this run alone.
    _temporary: Option<tempfile::TempDir>,
}

/// The name of an image's features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl FeatureFolder {
    /// The folder at `path`, made if it is missing, kept for later runs.
    ///
    /// # Errors
    /// [`EngineError::Io`] if it cannot be made.
    pub(crate) fn lasting(
        path: PathBuf,
        backbone: &Backbone,
        precision: FeaturePrecision,
        device: &str,
    ) -> Result<Self, EngineError> {
        std::fs::create_dir_all(&path).map_err(EngineError::io(&path, "make the folder"))?;
        Ok(Self {
            context: context(backbone, precision, device),
            path,
            precision,
            _temporary: None,
        })
    }

    /// A folder among the system's temporary ones that ends with this value, or `None` if it would leave less than half
    /// of the free space there.
    ///
    /// # Errors
    /// [`EngineError::Io`] if it cannot be made.
    pub(crate) fn temporary(
        bytes: u64,
        backbone: &Backbone,
        precision: FeaturePrecision,
        device: &str,
    ) -> Result<Option<Self>, EngineError> {
        let parent = std::env::temp_dir();
        let free = fs4::available_space(&parent).map_err(EngineError::io(&parent, "look at"))?;
        if bytes > free / 2 {
            tracing::warn!(
                "{} MiB of features fit neither in memory (feature_cache_mib) nor in half of what is free in {} ({} MiB): \
                 they are computed anew in every step",
                bytes >> 20,
                parent.display(),
                free >> 20
            );
            return Ok(None);
        }
        let folder = tempfile::Builder::new()
            .prefix("ckaad-features-")
            .tempdir()
            .map_err(EngineError::io(&parent, "make a folder in"))?;
        Ok(Some(Self {
            path: folder.path().to_owned(),
            context: context(backbone, precision, device),
            precision,
            _temporary: Some(folder),
        }))
    }

    /// The key of an image by its preprocessed pixels, `[size, size, 3]`.
    pub(crate) fn key(&self, pixels: &[u8]) -> Key {
        Key(self.context.clone().chain_update(pixels).finalize().into())
    }

    /// Features of `values` values, or `None` if there are none or the file is not whole.
    pub(crate) fn read(&self, key: Key, values: usize) -> Option<Record> {
        let bytes = std::fs::read(self.file(key)).ok()?;
        Record::from_bytes(&bytes, values, self.precision)
    }

    /// Whether there seem to be features of `values` values.
    pub(crate) fn holds(&self, key: Key, values: usize) -> bool {
        let length = std::fs::metadata(self.file(key)).map(|file| file.len());
        length.is_ok_and(|length| length == (values * self.precision.bytes()) as u64)
    }

    /// Not synced: after a crash a file may be short, which reading notices.
    ///
    /// # Errors
    /// [`EngineError::Io`] if the file cannot be written.
    pub(crate) fn write(&self, key: Key, record: &Record) -> Result<(), EngineError> {
        let path = self.file(key);
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
            file.write_all(&record.to_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(EngineError::io(&path, "write"))
    }

    fn file(&self, key: Key) -> PathBuf {
        let name: String = key.0.iter().map(|byte| format!("{byte:02x}")).collect();
        self.path.join(name)
    }
}

fn context(backbone: &Backbone, precision: FeaturePrecision, device: &str) -> Sha256 {
    Sha256::new()
        .chain_update(env!("CARGO_PKG_VERSION"))
        .chain_update([0])
        .chain_update(device)
        .chain_update([0])
        .chain_update(backbone.fingerprint())
        .chain_update(format!("{precision:?} {:?}", backbone.config().stages))
        .chain_update([0])
}
