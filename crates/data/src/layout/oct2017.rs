//! OCT2017: `{train,test}/{NORMAL,CNV,DME,DRUSEN}/CLASS-PATIENT-NUMBER.jpeg`. The `val` of some copies is not used.

use std::path::Path;

use super::classes::{find_root, read_part};
use super::{Dataset, Layout};
use crate::error::DataError;
use crate::sample::Label;

const HINT: &str = "the layout oct2017 is {train,test}/{NORMAL,CNV,DME,DRUSEN}/*.jpeg";
const CLASSES: [(&str, Label); 4] = [
    ("NORMAL", Label::Normal),
    ("CNV", Label::Anomalous),
    ("DME", Label::Anomalous),
    ("DRUSEN", Label::Anomalous),
];

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let root = find_root(root, "NORMAL", HINT)?;
    Ok(Dataset::new(
        "oct2017",
        Layout::Oct2017,
        read_part(&root, "train", &CLASSES, HINT, patient)?,
        read_part(&root, "test", &CLASSES, HINT, patient)?,
    ))
}

/// `1016042` of `CNV-1016042-1`.
fn patient(stem: &str) -> Option<&str> {
    let mut parts = stem.split('-');
    parts.next()?;
    parts.next().filter(|patient| !patient.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_are_read_from_names() {
        assert_eq!(patient("CNV-1016042-1"), Some("1016042"));
        assert_eq!(patient("scan"), None);
    }
}
