//! Folders of one's own.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::folder_names::{named_otherwise, one_kind};
use super::masks::{Nested, Pairing};
use super::{Dataset, Layout};
use crate::error::DataError;
use crate::find_files::subfolder;
use crate::finding::{Finding, FindingKind};
use crate::listing::{Listing, list_images, list_masks};
use crate::sample::{Label, Sample};

/// Names of test sub-folders that hold normal images, whatever their case.
pub(super) const NORMAL_NAMES: [&str; 4] = ["normal", "good", "ok", "no"];
const HINT: &str = "the layout folder is normal/, and optionally anomalous/, test/CLASS/ and masks/CLASS/; or name the folders yourself";

/// Where the images of a data set of one's own are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderSource {
    /// Normal training images, sub-folders included.
    pub normal: PathBuf,
    /// Anomalous training images; each sub-folder is a class, images directly in it are of class `anomalous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomalous: Option<PathBuf>,
    /// Test images, one sub-folder per class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Masks of the test images, named STEM, STEM_mask, STEM_gt or the like, in a folder per class or together; without this folder, those
    /// that lie beside the test images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks: Option<PathBuf>,
    /// The test class that is normal; by default `normal`, `good`, `ok`, `no` and the name of the normal folder are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal_class: Option<String>,
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
        normal_class: None,
    })
}

pub(super) fn from_folders(source: &FolderSource) -> Result<Dataset, DataError> {
    let mut dataset = Dataset::new("folder", Layout::Folder, Vec::new(), Vec::new());
    let mut normal = list(&source.normal, source)?;
    let findings = &mut dataset.findings;
    findings.extend(named_otherwise(&source.normal, &normal, Label::Normal));
    dataset
        .left_out
        .extend(std::mem::take(&mut normal.left_out));
    let samples = normal.images.into_iter();
    dataset.train = samples
        .map(|path| Sample::new(path, Label::Normal, "normal"))
        .collect();
    if let Some(folder) = &source.anomalous {
        let listing = list(folder, source)?;
        findings.extend(named_otherwise(folder, &listing, Label::Anomalous));
        dataset.train.extend(
            classes(folder, &listing.images, "anomalous")
                .into_iter()
                .map(|(path, class)| Sample::new(path, Label::Anomalous, class)),
        );
        dataset.left_out.extend(listing.left_out);
    }
    if let Some(folder) = &source.test {
        add_test(&mut dataset, folder, source)?;
    }
    Ok(dataset)
}

/// The test part of a source alone; its other folders need not exist.
pub(super) fn test_of_folders(source: &FolderSource) -> Result<Dataset, DataError> {
    let mut dataset = Dataset::new("folder", Layout::Folder, Vec::new(), Vec::new());
    if let Some(folder) = &source.test {
        add_test(&mut dataset, folder, source)?;
    }
    Ok(dataset)
}

fn add_test(dataset: &mut Dataset, folder: &Path, source: &FolderSource) -> Result<(), DataError> {
    let listing = list(folder, source)?;
    let (test, unused_masks) = test_samples(folder, &listing, source)?;
    let unused: Vec<String> = unused_masks
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let message = format!("{} masks belong to no test image", unused.len());
    dataset.findings.extend(one_kind(&test, source));
    dataset
        .findings
        .extend(Finding::of(FindingKind::UnusedMasks, &unused, message));
    dataset.left_out.extend(listing.left_out);
    dataset.test = test;
    dataset.unused_masks = unused_masks;
    Ok(())
}

/// The images of one of the folders. Of two folders one of which lies in the other, the inner one is not part of the outer.
fn list(folder: &Path, source: &FolderSource) -> Result<Listing, DataError> {
    let given = [
        Some(&source.normal),
        source.anomalous.as_ref(),
        source.test.as_ref(),
        source.masks.as_ref(),
    ];
    let same = folder.canonicalize().ok();
    let others: Vec<PathBuf> = given
        .into_iter()
        .flatten()
        .filter(|other| other.canonicalize().ok() != same)
        .cloned()
        .collect();
    list_images(&[folder.to_path_buf()], &others)
}

/// Images with their class: the first sub-folder, or `direct` for images in the folder itself, which come first.
fn classes(folder: &Path, images: &[PathBuf], direct: &str) -> Vec<(PathBuf, String)> {
    let class = |path: &Path| {
        let inside = path.strip_prefix(folder).ok()?;
        let first = inside.iter().next()?.to_str()?.to_owned();
        (inside.iter().count() > 1).then_some(first)
    };
    let mut found: Vec<_> = images
        .iter()
        .map(|path| (class(path), path.clone()))
        .collect();
    found.sort_by_key(|(class, _)| class.is_some());
    found
        .into_iter()
        .map(|(class, path)| (path, class.unwrap_or_else(|| direct.to_owned())))
        .collect()
}

/// The names of test classes that are normal.
pub(super) fn normal_names(source: &FolderSource) -> Vec<&str> {
    match &source.normal_class {
        Some(name) => vec![name],
        None => {
            let own = source.normal.file_name().and_then(|name| name.to_str());
            NORMAL_NAMES.into_iter().chain(own).collect()
        }
    }
}

/// Test images with their masks, and masks of none.
fn test_samples(
    folder: &Path,
    listing: &Listing,
    source: &FolderSource,
) -> Result<(Vec<Sample>, Vec<PathBuf>), DataError> {
    let names = normal_names(source);
    let mut samples = Vec::new();
    for (path, class) in classes(folder, &listing.images, "") {
        if class.is_empty() {
            return Err(DataError::Missing {
                path: folder.to_path_buf(),
                expected: "one sub-folder per class (images lie directly in it)".into(),
                hint: "put normal test images into test/normal and anomalous ones into a folder named after their class".into(),
            });
        }
        let normal = names.iter().any(|name| name.eq_ignore_ascii_case(&class));
        let label = if normal {
            Label::Normal
        } else {
            Label::Anomalous
        };
        samples.push(Sample::new(path, label, class));
    }
    if let Some(name) = &source.normal_class
        && samples.iter().all(|sample| sample.label.is_anomalous())
    {
        let mut known: Vec<String> = samples.into_iter().map(|sample| sample.class).collect();
        known.dedup();
        return Err(DataError::Category {
            given: format!("normal_class = \"{name}\" is no folder of test images"),
            known,
        });
    }
    let mut pairing = Pairing::default();
    match &source.masks {
        Some(root) => pair(folder, &mut samples, root, &mut pairing)?,
        None => {
            for samples in samples.chunk_by_mut(|a, b| a.class == b.class) {
                let folder = folder.join(&samples[0].class);
                let beside = listing
                    .masks
                    .iter()
                    .filter(|path| path.starts_with(&folder));
                let beside = beside.cloned().collect();
                let mut samples: Vec<_> = samples.iter_mut().collect();
                pairing.pair(&folder, &mut samples, &folder, beside, Nested::AsImages);
            }
        }
    }
    let unused = pairing.finish(&samples)?;
    Ok((samples, unused))
}

/// Pairs each class with the masks in the folder of its name; classes without such a folder share the masks that lie in no class's.
fn pair(
    folder: &Path,
    samples: &mut [Sample],
    root: &Path,
    pairing: &mut Pairing,
) -> Result<(), DataError> {
    let mut rest = list_masks(root)?;
    if rest.is_empty() {
        list_images(&[root.to_path_buf()], &[])?;
    }
    let mut together = Vec::new();
    for samples in samples.chunk_by_mut(|a, b| a.class == b.class) {
        match subfolder(root, &samples[0].class)? {
            Some(own) => {
                let (files, others) = rest.into_iter().partition(|path| path.starts_with(&own));
                rest = others;
                let folder = folder.join(&samples[0].class);
                let mut samples: Vec<_> = samples.iter_mut().collect();
                pairing.pair(&folder, &mut samples, &own, files, Nested::Anywhere);
            }
            None => together.extend(samples.iter_mut()),
        }
    }
    pairing.pair(folder, &mut together, root, rest, Nested::AsImages);
    Ok(())
}
