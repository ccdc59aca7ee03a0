//! Folders whose names say something else than what their images count as.

use std::collections::BTreeMap;
use std::path::Path;

use super::folder::{FolderSource, NORMAL_NAMES, normal_names};
use crate::finding::{Finding, FindingKind};
use crate::listing::Listing;
use crate::sample::{Label, Sample};

/// Names of folders of anomalous images.
const ANOMALOUS_NAMES: [&str; 3] = ["bad", "ng", "nok"];
/// How other such names begin.
const ANOMALOUS_BEGINNINGS: [&str; 5] = ["anomal", "abnormal", "defect", "fault", "reject"];

/// Folders below `root` that are named as the other kind is.
pub(super) fn named_otherwise(root: &Path, listing: &Listing, label: Label) -> Option<Finding> {
    let otherwise = |name: &str| match label {
        Label::Normal => {
            ANOMALOUS_NAMES.contains(&name)
                || ANOMALOUS_BEGINNINGS
                    .iter()
                    .any(|beginning| name.starts_with(beginning))
        }
        Label::Anomalous => NORMAL_NAMES.contains(&name),
    };
    let mut folders: BTreeMap<&Path, usize> = BTreeMap::new();
    for image in &listing.images {
        let above = image.ancestors().skip(1);
        let outermost = above
            .take_while(|folder| *folder != root)
            .filter(|folder| {
                let name = folder.file_name().and_then(|name| name.to_str());
                otherwise(&name.unwrap_or("").to_ascii_lowercase())
            })
            .last();
        if let Some(folder) = outermost {
            *folders.entry(folder).or_default() += 1;
        }
    }
    let images: usize = folders.values().sum();
    let examples: Vec<String> = folders
        .into_iter()
        .map(|(folder, count)| format!("{} ({count})", folder.display()))
        .collect();
    let message = format!(
        "{images} images count as {label} though their folders are named otherwise; move the folders out of {} if they are not {label}",
        root.display()
    );
    Some(Finding {
        count: images,
        ..Finding::of(FindingKind::FolderNames, &examples, message)?
    })
}

/// A test set that has one kind of images only.
pub(super) fn one_kind(test: &[Sample], source: &FolderSource) -> Option<Finding> {
    let label = test.first()?.label;
    if test.iter().any(|sample| sample.label != label) {
        return None;
    }
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for sample in test {
        *classes.entry(&sample.class).or_default() += 1;
    }
    let examples: Vec<String> = classes
        .into_iter()
        .map(|(class, count)| format!("{class} ({count})"))
        .collect();
    let what = match label {
        Label::Normal => "so only false alarms can be counted",
        Label::Anomalous => "so no false alarm can be counted",
    };
    let message = format!(
        "all {} test images count as {label}, {what} and there is no AUROC; folders named {} count as normal, --normal-class NAME names another",
        test.len(),
        normal_names(source).join(", ")
    );
    Some(Finding {
        count: test.len(),
        ..Finding::of(FindingKind::OneKind, &examples, message)?
    })
}
