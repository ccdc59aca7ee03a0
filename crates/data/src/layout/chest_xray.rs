//! ChestXRay2017: `{train,test}/{NORMAL,PNEUMONIA}/*.jpeg`. Other parts, such as the `val` of some copies, are not used.

use std::path::Path;

use super::classes::{find_root, read_part};
use super::{Dataset, Layout};
use crate::error::DataError;
use crate::sample::Label;

const HINT: &str = "the layout chest-xray is {train,test}/{NORMAL,PNEUMONIA}/*.jpeg";
const CLASSES: [(&str, Label); 2] = [("NORMAL", Label::Normal), ("PNEUMONIA", Label::Anomalous)];

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let root = find_root(root, "NORMAL", HINT)?;
    Ok(Dataset::new(
        "chest-xray",
        Layout::ChestXRay2017,
        read_part(&root, "train", &CLASSES, HINT, patient)?,
        read_part(&root, "test", &CLASSES, HINT, patient)?,
    ))
}

/// The patient in a file stem: `person12` of `person12_virus_46`, `IM-0115` of `IM-0115-0001`, `NORMAL2-IM-0115` likewise.
///
/// Numbers of the anomalous train and test parts were given independently: the same number can stand for two people.
fn patient(stem: &str) -> Option<&str> {
    if stem.starts_with("person") {
        return stem.split_once('_').map(|(patient, _)| patient);
    }
    let number = stem.find("IM-")? + 3;
    let end = stem[number..].find('-')?;
    Some(&stem[..number + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_are_read_from_names() {
        for (stem, expected) in [
            ("person12_virus_46", Some("person12")),
            ("IM-0115-0001", Some("IM-0115")),
            ("IM-0011-0001-0002", Some("IM-0011")),
            ("NORMAL2-IM-0588-0001", Some("NORMAL2-IM-0588")),
            ("scan", None),
            ("IM-12", None),
        ] {
            assert_eq!(patient(stem), expected, "{stem}");
        }
    }
}
