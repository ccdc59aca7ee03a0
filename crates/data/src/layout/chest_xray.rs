//! ChestXRay2017: `{train,test}/{NORMAL,PNEUMONIA}/*.jpeg`.

use std::path::Path;

use super::{Dataset, Layout};
use crate::error::DataError;
use crate::files::{Descend, require_images, require_subfolder, subfolder, unwrap_root};
use crate::sample::{Label, Sample};

const HINT: &str = "the layout chest-xray is {train,test}/{NORMAL,PNEUMONIA}/*.jpeg";

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let root = unwrap_root(root, "train/NORMAL", HINT, |folder| {
        Ok(match subfolder(folder, "train")? {
            Some(train) => subfolder(&train, "NORMAL")?.is_some(),
            None => false,
        })
    })?;
    let part = |name: &str| -> Result<Vec<Sample>, DataError> {
        let folder = require_subfolder(&root, name, HINT)?;
        let mut samples = Vec::new();
        for (class, label) in [("NORMAL", Label::Normal), ("PNEUMONIA", Label::Anomalous)] {
            for path in require_images(&require_subfolder(&folder, class, HINT)?, Descend::No)? {
                let group = patient(&path);
                samples.push(Sample {
                    group,
                    ..Sample::new(path, label, class)
                });
            }
        }
        Ok(samples)
    };
    Ok(Dataset {
        name: "chest-xray".into(),
        layout: Layout::ChestXRay2017,
        train: part("train")?,
        validation: Vec::new(),
        test: part("test")?,
    })
}

/// The patient in the file name: `person12` of `person12_virus_46.jpeg`, `IM-0115` of `IM-0115-0001.jpeg`, `NORMAL2-IM-0115` likewise.
fn patient(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let (patient, _) = if stem.starts_with("person") {
        stem.split_once('_')?
    } else {
        stem.rsplit_once("-0")?
    };
    Some(patient.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_are_read_from_names() {
        for (name, expected) in [
            ("person12_virus_46.jpeg", Some("person12")),
            ("IM-0115-0001.jpeg", Some("IM-0115")),
            ("NORMAL2-IM-0588-0001.jpeg", Some("NORMAL2-IM-0588")),
            ("scan.jpeg", None),
        ] {
            assert_eq!(patient(Path::new(name)).as_deref(), expected, "{name}");
        }
    }
}
