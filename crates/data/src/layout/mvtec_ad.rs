//! MVTec AD: `CAT/train/good`, `CAT/test/DEFECT`, `CAT/ground_truth/DEFECT/STEM_mask.png`.
//!
//! Folders of anomalous images beside `train/good`, which the original does not have, become the pool of labelled anomalous images.

use std::path::{Path, PathBuf};

use super::masks::{Nested, Pairing};
use super::{Dataset, Layout, choose};
use crate::error::DataError;
use crate::find_files::{
    images_in, require_images, require_subfolder, subfolder, subfolders, unwrap_root,
};
use crate::listing::list_masks;
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
    let chosen = choose(root, categories(root)?, category)?;
    read(&base(root)?.join(&chosen), &chosen)
}

/// Reads one category.
fn read(folder: &Path, name: &str) -> Result<Dataset, DataError> {
    let train_folder = require_subfolder(folder, "train", HINT)?;
    let mut train = Vec::new();
    for (path, class) in subfolders(&train_folder)? {
        let label = label_of(&class);
        let images = if label == Label::Normal {
            require_images(&path)?
        } else {
            images_in(&path)?
        };
        train.extend(
            images
                .into_iter()
                .map(|path| Sample::new(path, label, &class)),
        );
    }
    let truth = subfolder(folder, "ground_truth")?;
    let mut test = Vec::new();
    let mut pairing = Pairing::default();
    for (path, class) in subfolders(&require_subfolder(folder, "test", HINT)?)? {
        let label = label_of(&class);
        let first = test.len();
        test.extend(
            images_in(&path)?
                .into_iter()
                .map(|path| Sample::new(path, label, &class)),
        );
        if let (Some(truth), Label::Anomalous) = (&truth, label)
            && let Some(masks) = subfolder(truth, &class)?
        {
            let files = list_masks(&masks)?;
            let mut samples: Vec<_> = test[first..].iter_mut().collect();
            pairing.pair(&path, &mut samples, &masks, files, Nested::Anywhere);
        }
    }
    for (path, class) in truth
        .map(|truth| subfolders(&truth))
        .transpose()?
        .unwrap_or_default()
    {
        if !test
            .iter()
            .any(|sample| sample.class.eq_ignore_ascii_case(&class))
        {
            pairing.unused(list_masks(&path)?);
        }
    }
    let unused_masks = pairing.finish(&test)?;
    Ok(Dataset {
        unused_masks,
        ..Dataset::new(format!("mvtec-ad/{name}"), Layout::MvtecAd, train, test)
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
