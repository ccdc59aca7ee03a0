//! Pairing masks with images by their names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::find_files::{Descend, list_images};

/// Masks of one class by the stem of the image they belong to.
pub(super) struct MaskFolder {
    by_stem: BTreeMap<String, PathBuf>,
}

impl MaskFolder {
    /// Lists a folder of masks; `None` has none.
    pub(super) fn read(folder: Option<&Path>) -> Result<Self, DataError> {
        let images = folder
            .map(|folder| list_images(folder, Descend::No))
            .transpose()?
            .unwrap_or_default();
        let by_stem = images
            .into_iter()
            .filter_map(|path| Some((Self::image_stem(&path)?, path)))
            .collect();
        Ok(Self { by_stem })
    }

    /// The image stem that a mask is for: its own without `_mask`, in small letters.
    fn image_stem(mask: &Path) -> Option<String> {
        let stem = mask.file_stem()?.to_str()?.to_ascii_lowercase();
        Some(
            stem.strip_suffix("_mask")
                .map(str::to_owned)
                .unwrap_or(stem),
        )
    }

    /// Takes the mask of an image.
    pub(super) fn take(&mut self, image: &Path) -> Option<PathBuf> {
        self.by_stem
            .remove(&image.file_stem()?.to_str()?.to_ascii_lowercase())
    }

    /// The masks that were not taken.
    pub(super) fn rest(self) -> impl Iterator<Item = PathBuf> {
        self.by_stem.into_values()
    }
}
