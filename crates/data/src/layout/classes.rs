//! Folders `PART/CLASS/IMAGE`, which several data sets share.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::find_files::{require_images, require_subfolder, subfolder, unwrap_root};
use crate::sample::{Label, Sample};

/// The folder that holds `train/CLASS`, at `root` or in what archives wrap around it.
pub(super) fn find_root(root: &Path, class: &str, hint: &str) -> Result<PathBuf, DataError> {
    unwrap_root(root, &format!("train/{class}"), hint, |folder| {
        has_part(folder, "train", class)
    })
}

/// True if there is a folder `PART/CLASS`.
pub(super) fn has_part(folder: &Path, part: &str, class: &str) -> Result<bool, DataError> {
    Ok(match subfolder(folder, part)? {
        Some(part) => subfolder(&part, class)?.is_some(),
        None => false,
    })
}

/// The images of one part, class by class. `group` reads the patient from a file stem.
pub(super) fn read_part(
    root: &Path,
    part: &str,
    classes: &[(&str, Label)],
    hint: &str,
    group: fn(&str) -> Option<&str>,
) -> Result<Vec<Sample>, DataError> {
    let folder = require_subfolder(root, part, hint)?;
    let mut samples = Vec::new();
    for &(class, label) in classes {
        for path in require_images(&require_subfolder(&folder, class, hint)?)? {
            let group = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(group)
                .map(str::to_owned);
            samples.push(Sample {
                group,
                ..Sample::new(path, label, class)
            });
        }
    }
    Ok(samples)
}
