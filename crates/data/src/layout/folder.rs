//! Folders of one's own.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::masks::MaskFolder;
use super::{Dataset, Layout};
use crate::error::DataError;
use crate::find_files::{Descend, list_images, require_images, subfolder, subfolders};
use crate::sample::{Label, Sample};

/// Names of test sub-folders that hold normal images, whatever their case.
const NORMAL_NAMES: [&str; 4] = ["normal", "good", "ok", "no"];
const HINT: &str = "the layout folder is normal/, and optionally anomalous/, test/CLASS/ and masks/CLASS/; or name the folders yourself";

/// Where the images of a data set of one's own are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderSource {
    /// Normal training images, sub-folders included.
    pub normal: PathBuf,
    /// Anomalous training images; each sub-folder is a class, images directly in it are of class `anomalous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomalous: Option<PathBuf>,
    /// Test images, one sub-folder per class; `normal`, `good`, `ok`, `no` and the name of the normal folder are normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Masks of the test images: `CLASS/STEM.png` or `CLASS/STEM_mask.png`, or without the class folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks: Option<PathBuf>,
}

/// The layout `folder`: the four folders under one root by their fixed names.
pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let missing = || DataError::Missing {
        path: root.to_path_buf(),
        expected: "folder normal".into(),
        hint: HINT.into(),
    };
    let normal = subfolder(root, "normal")?.ok_or_else(missing)?;
    from_folders(&FolderSource {
        normal,
        anomalous: subfolder(root, "anomalous")?,
        test: subfolder(root, "test")?,
        masks: subfolder(root, "masks")?,
    })
}

pub(super) fn from_folders(source: &FolderSource) -> Result<Dataset, DataError> {
    let mut train: Vec<Sample> = require_images(&source.normal, Descend::Yes)?
        .into_iter()
        .map(|path| Sample::new(path, Label::Normal, "normal"))
        .collect();
    if let Some(folder) = &source.anomalous {
        require_images(folder, Descend::Yes)?;
        for (path, class) in classes(folder, "anomalous")? {
            train.push(Sample::new(path, Label::Anomalous, class));
        }
    }
    let (mut test, mut unused_masks) = (Vec::new(), Vec::new());
    if let Some(folder) = &source.test {
        require_images(folder, Descend::Yes)?;
        (test, unused_masks) = test_samples(folder, source)?;
    }
    Ok(Dataset {
        unused_masks,
        ..Dataset::new("folder", Layout::Folder, train, test)
    })
}

/// Images with their class: the first sub-folder, or `direct` for images in the folder itself.
fn classes(folder: &Path, direct: &str) -> Result<Vec<(PathBuf, String)>, DataError> {
    let mut found: Vec<_> = list_images(folder, Descend::No)?
        .into_iter()
        .map(|path| (path, direct.to_owned()))
        .collect();
    for (path, class) in subfolders(folder)? {
        found.extend(
            list_images(&path, Descend::Yes)?
                .into_iter()
                .map(|path| (path, class.clone())),
        );
    }
    Ok(found)
}

/// Test images with their masks.
fn test_samples(
    folder: &Path,
    source: &FolderSource,
) -> Result<(Vec<Sample>, Vec<PathBuf>), DataError> {
    let normal_name = source
        .normal
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("normal");
    let is_normal = |class: &str| {
        NORMAL_NAMES
            .iter()
            .chain([&normal_name])
            .any(|name| name.eq_ignore_ascii_case(class))
    };
    if !list_images(folder, Descend::No)?.is_empty() {
        let expected = "one sub-folder per class (images lie directly in it)".to_owned();
        let hint = "put normal test images into test/normal and anomalous ones into a folder named after their class".to_owned();
        return Err(DataError::Missing {
            path: folder.to_path_buf(),
            expected,
            hint,
        });
    }
    let (mut samples, mut unused) = (Vec::new(), Vec::new());
    for (path, class) in subfolders(folder)? {
        let label = if is_normal(&class) {
            Label::Normal
        } else {
            Label::Anomalous
        };
        let root = source.masks.as_deref().filter(|_| label.is_anomalous());
        let own = root
            .map(|root| subfolder(root, &class))
            .transpose()?
            .flatten();
        let mut masks = MaskFolder::read(own.as_deref().or(root))?;
        for path in list_images(&path, Descend::Yes)? {
            let mask = masks.take(&path);
            samples.push(Sample {
                mask,
                ..Sample::new(path, label, &class)
            });
        }
        // Masks that lie together may belong to another class.
        if own.is_some() {
            unused.extend(masks.rest());
        }
    }
    Ok((samples, unused))
}
