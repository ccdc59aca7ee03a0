//! MVTec AD: `CAT/train/good`, `CAT/test/DEFECT`, `CAT/ground_truth/DEFECT/STEM_mask.png`.
//!
//! Folders of anomalous images beside `train/good`, which the original does not have, become the pool of labelled anomalous images.

use std::path::{Path, PathBuf};

use super::{Dataset, Layout};
use crate::error::DataError;
use crate::files::{
    Descend, list_images, require_images, require_subfolder, subfolder, subfolders, unwrap_root,
};
use crate::sample::{Label, Sample};

const HINT: &str = "the layout mvtec-ad is CATEGORY/{train/good,test/DEFECT,ground_truth/DEFECT}";

/// True for the folder of a category.
fn is_category(folder: &Path) -> Result<bool, DataError> {
    Ok(match subfolder(folder, "train")? {
        Some(train) => subfolder(&train, "good")?.is_some(),
        None => false,
    })
}

/// The folder that holds the categories.
fn base(root: &Path) -> Result<PathBuf, DataError> {
    unwrap_root(root, "CATEGORY/train/good", HINT, |folder| {
        for (path, _) in subfolders(folder)? {
            if is_category(&path)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

pub(super) fn categories(root: &Path) -> Result<Vec<String>, DataError> {
    if is_category(root)? {
        return Ok(root
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned)
            .into_iter()
            .collect());
    }
    let mut found = Vec::new();
    for (path, name) in subfolders(&base(root)?)? {
        if is_category(&path)? {
            found.push(name);
        }
    }
    Ok(found)
}

pub(super) fn open(root: &Path, category: Option<&str>) -> Result<Dataset, DataError> {
    // `root` may be the category itself; `category` then only has to agree with its name.
    let own_name = root
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("category");
    if is_category(root)? && category.is_none_or(|name| name.eq_ignore_ascii_case(own_name)) {
        return read(root, own_name);
    }
    let known = categories(root)?;
    let chosen = match category {
        Some(name) => known.iter().find(|k| k.eq_ignore_ascii_case(name)),
        None if known.len() == 1 => known.first(),
        None => None,
    };
    match (chosen, category) {
        (Some(name), _) => read(&base(root)?.join(name), name),
        (None, Some(name)) => Err(DataError::Category {
            given: format!("unknown category \"{name}\""),
            known,
        }),
        (None, None) => Err(DataError::Category {
            given: format!("{} holds several categories", root.display()),
            known,
        }),
    }
}

/// Reads one category.
fn read(folder: &Path, name: &str) -> Result<Dataset, DataError> {
    let train_folder = require_subfolder(folder, "train", HINT)?;
    let mut train = Vec::new();
    for (path, class) in subfolders(&train_folder)? {
        let label = label_of(&class);
        let images = if label == Label::Normal {
            require_images(&path, Descend::No)?
        } else {
            list_images(&path, Descend::No)?
        };
        train.extend(
            images
                .into_iter()
                .map(|path| Sample::new(path, label, &class)),
        );
    }
    let truth = subfolder(folder, "ground_truth")?;
    let mut test = Vec::new();
    for (path, class) in subfolders(&require_subfolder(folder, "test", HINT)?)? {
        let label = label_of(&class);
        let masks = match &truth {
            Some(truth) if label.is_anomalous() => subfolder(truth, &class)?,
            _ => None,
        };
        let masks = MaskFolder::read(masks.as_deref())?;
        for path in list_images(&path, Descend::No)? {
            let mask = masks.of(&path);
            test.push(Sample {
                mask,
                ..Sample::new(path, label, &class)
            });
        }
    }
    Ok(Dataset {
        name: format!("mvtec-ad/{name}"),
        layout: Layout::MvtecAd,
        train,
        validation: Vec::new(),
        test,
    })
}

/// `good` is the only normal class.
fn label_of(class: &str) -> Label {
    if class.eq_ignore_ascii_case("good") {
        Label::Normal
    } else {
        Label::Anomalous
    }
}

/// Masks of one class by the stem of the image they belong to.
pub(super) struct MaskFolder {
    by_stem: std::collections::HashMap<String, PathBuf>,
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

    /// The mask of an image.
    pub(super) fn of(&self, image: &Path) -> Option<PathBuf> {
        self.by_stem
            .get(&image.file_stem()?.to_str()?.to_ascii_lowercase())
            .cloned()
    }
}
