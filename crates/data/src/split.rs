//! The images of a run, as lists that are written beside its results and can be handed back in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::error::DataError;
use crate::finding::DataAccount;
use crate::mask::{MaskResize, MaskRule};
use crate::reading::Reading;
use crate::sample::{Label, Sample, Source};

/// Greatest size of a split file.
const FILE_LIMIT: u64 = 1 << 30;

/// Which image is used for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object of lists of images")]
pub struct Split {
    /// Normal training images.
    pub normal: Vec<Sample>,
    /// Anomalous training images with image-level labels.
    pub labelled: Vec<Sample>,
    /// Validation images of both kinds.
    pub validation: Vec<Sample>,
    /// Normal images that the detector does not learn from: what its scores of them promise holds for others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<Sample>,
    /// Test images of both kinds.
    pub test: Vec<Sample>,
    /// Textures of drawn anomalies, where they come from a folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub textures: Vec<Sample>,
    /// When a pixel of a test image's mask is anomalous.
    #[serde(default)]
    pub mask_rule: MaskRule,
    /// How pixels are read where a file leaves a choice.
    #[serde(default)]
    pub reading: Reading,
    /// How masks are brought to the size of the images.
    #[serde(default)]
    pub mask_resize: MaskResize,
    /// Labelled images that the ratio asks for; more than `labelled.len()` where the classes have no more.
    #[serde(default)]
    pub labelled_wanted: usize,
    /// Training images left out because their group is in the test or validation part.
    #[serde(default)]
    pub excluded: usize,
    /// What was found where these images come from.
    #[serde(default, skip_serializing_if = "DataAccount::is_empty")]
    pub account: DataAccount,
}

impl Split {
    /// Reads a split written by [`write`](Self::write) or by hand (JSON), and checks it.
    ///
    /// # Errors
    /// [`DataError::File`], [`DataError::Parse`], [`DataError::NoImages`] without normal images, [`DataError::Leak`].
    pub fn read(path: &Path) -> Result<Self, DataError> {
        Self::parse(&ckaad_files::read(path, FILE_LIMIT)?, path)
    }

    /// [`read`](Self::read) from bytes; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read), without `File`.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let split: Self = serde_json::from_slice(bytes).map_err(|error| {
            DataError::parse(
                path,
                format!("line {} column {}", error.line(), error.column()),
                error,
            )
        })?;
        if split.normal.is_empty() {
            return Err(DataError::NoImages {
                path: path.to_path_buf(),
                hint: "the list \"normal\" of the split is empty".into(),
            });
        }
        for (list, name, label) in [
            (&split.normal, "normal", Label::Normal),
            (&split.labelled, "labelled", Label::Anomalous),
            (&split.calibration, "calibration", Label::Normal),
        ] {
            if let Some(sample) = list.iter().find(|sample| sample.label != label) {
                let reason = format!(
                    "{} is labelled {}, all must be {label}",
                    sample.path, sample.label
                );
                return Err(DataError::parse(path, format!("list \"{name}\""), reason));
            }
        }
        split.check_leak()?;
        Ok(split)
    }

    /// Writes the split as JSON, atomically.
    ///
    /// # Errors
    /// [`DataError::File`]; [`DataError::Parse`] if a path is not UTF-8.
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| DataError::parse(path, "writing", error))?;
        Ok(ckaad_files::write(path, &text)?)
    }

    /// SHA-256, in hexadecimal, of what a run learns from, wherever it lies: how pixels are read, and the labels and
    /// [digests](Sample::sha256) of all images but the test images, in their order, textures last if there are any.
    ///
    /// # Errors
    /// [`DataError::Parse`]; `path` is for messages.
    pub fn fingerprint(&self, path: &Path) -> Result<String, DataError> {
        let failed = |error| DataError::parse(path, "writing", error);
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&self.reading).map_err(failed)?);
        let textures = (!self.textures.is_empty()).then_some(&self.textures);
        let lists = [
            &self.normal,
            &self.labelled,
            &self.validation,
            &self.calibration,
        ];
        for list in lists.into_iter().chain(textures) {
            hash.update(format!("{}\n", list.len()));
            for sample in list {
                let digest = sample.sha256.as_deref().unwrap_or("-");
                hash.update(format!("{} {digest}\n", sample.label));
            }
        }
        Ok(hex(&hash.finalize()))
    }

    /// Whether both choose the same images for the same ends. A digest, or textures, that only one of them knows make no difference.
    pub fn agrees_with(&self, other: &Self) -> bool {
        fn fill(list: &mut [Sample], from: &[Sample]) {
            for (sample, from) in list.iter_mut().zip(from) {
                if sample.sha256.is_none() || from.sha256.is_none() {
                    sample.sha256.clone_from(&from.sha256);
                }
            }
        }
        let mut filled = self.clone();
        fill(&mut filled.normal, &other.normal);
        fill(&mut filled.labelled, &other.labelled);
        fill(&mut filled.validation, &other.validation);
        fill(&mut filled.calibration, &other.calibration);
        fill(&mut filled.test, &other.test);
        fill(&mut filled.textures, &other.textures);
        if filled.textures.is_empty() || other.textures.is_empty() {
            filled.textures.clone_from(&other.textures);
        }
        filled == *other
    }

    /// Refuses an image that is in two parts. Paths are compared after resolving symbolic links; equal content under two names is found by
    /// [`datasets::check`](crate::datasets::check).
    ///
    /// # Errors
    /// [`DataError::Leak`] naming the image and the parts.
    pub fn check_leak(&self) -> Result<(), DataError> {
        let mut seen: HashMap<(PathBuf, Option<u32>), &'static str> = HashMap::new();
        let parts = [
            ("test", &self.test),
            ("validation", &self.validation),
            ("calibration", &self.calibration),
            ("training", &self.normal),
            ("training", &self.labelled),
        ];
        for (part, samples) in parts {
            for sample in samples {
                let index = match &sample.path {
                    Source::File(_) => None,
                    Source::Record { index, .. } => Some(*index),
                };
                let file = sample.path.file();
                let key = (
                    std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf()),
                    index,
                );
                if let Some(first) = seen.insert(key, part) {
                    return Err(DataError::Leak {
                        image: sample.path.to_string(),
                        first,
                        second: part,
                    });
                }
            }
        }
        Ok(())
    }
}
