//! CIFAR-10, in its binary version, or as folders `{train,test}/CLASS`.
//!
//! One class is normal (the category), the other nine are anomalous.

use std::path::Path;

use super::classes::{has_part, read_part};
use super::{Dataset, Layout, choose};
use crate::error::DataError;
use crate::find_files::unwrap_root;
use crate::sample::{Label, Sample, Source};
use crate::table::TABLE_LIMIT;

const HINT: &str = "the layout cifar10 is the binary version (data_batch_1.bin to data_batch_5.bin and test_batch.bin) or {train,test}/CLASS/*.png; \
    the python version (the same without .bin) is not read: download the binary version, cifar-10-binary.tar.gz";
/// Classes in the order of their numbers.
pub(crate) const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];
/// Bytes of the pixels of a record.
const PIXELS: usize = 3072;
/// Bytes of a record of a binary batch: the class, then the pixels.
const RECORD: usize = PIXELS + 1;

/// How a copy is stored.
#[derive(Clone, Copy)]
enum Form {
    Binary,
    Folders,
}

impl Form {
    /// The form of what lies in `folder`.
    fn of(folder: &Path) -> Result<Option<Self>, DataError> {
        Ok(if folder.join("test_batch.bin").is_file() {
            Some(Self::Binary)
        } else if has_part(folder, "train", CLASSES[0])? {
            Some(Self::Folders)
        } else {
            None
        })
    }
}

pub(super) fn categories() -> Vec<String> {
    CLASSES.map(str::to_owned).to_vec()
}

pub(super) fn open(root: &Path, category: Option<&str>) -> Result<Dataset, DataError> {
    let normal = choose(root, categories(), category)?;
    let root = unwrap_root(root, "test_batch.bin or train/airplane", HINT, |folder| {
        Ok(Form::of(folder)?.is_some())
    })?;
    let form = Form::of(&root)?.unwrap_or(Form::Folders);
    let label = |class: &str| {
        if class == normal {
            Label::Normal
        } else {
            Label::Anomalous
        }
    };
    let batches = |names: &[&str]| -> Result<Vec<Sample>, DataError> {
        let mut samples = Vec::new();
        for name in names {
            let file = root.join(format!("{name}.bin"));
            let records = parse(&ckaad_files::read(&file, TABLE_LIMIT)?, &file)?;
            for (index, (class, offset)) in (0..).zip(records) {
                let class = CLASSES[usize::from(class)];
                samples.push(Sample::new(
                    Source::Record {
                        file: file.clone(),
                        index,
                        offset,
                    },
                    label(class),
                    class,
                ));
            }
        }
        Ok(samples)
    };
    let (train, test) = match form {
        Form::Folders => {
            let classes = CLASSES.map(|class| (class, label(class)));
            (
                read_part(&root, "train", &classes, HINT, |_| None)?,
                read_part(&root, "test", &classes, HINT, |_| None)?,
            )
        }
        Form::Binary => (
            batches(&[
                "data_batch_1",
                "data_batch_2",
                "data_batch_3",
                "data_batch_4",
                "data_batch_5",
            ])?,
            batches(&["test_batch"])?,
        ),
    };
    Ok(Dataset::new(
        format!("cifar10/{normal}"),
        Layout::Cifar10,
        train,
        test,
    ))
}

/// Class and offset of the pixels of every record of a batch.
pub(crate) fn parse(bytes: &[u8], file: &Path) -> Result<Vec<(u8, u64)>, DataError> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(RECORD) {
        let reason = format!(
            "{} bytes are not a whole number of {RECORD}-byte records; is the file truncated?",
            bytes.len()
        );
        return Err(DataError::parse(file, "size", reason));
    }
    let record = |(index, record): (usize, &[u8])| match record[0] {
        class @ 0..=9 => Ok((class, (index * RECORD + 1) as u64)),
        class => Err(DataError::parse(
            file,
            format!("record {index}"),
            format!("class {class} is over 9"),
        )),
    };
    bytes.chunks_exact(RECORD).enumerate().map(record).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn binary_records_are_counted_and_checked() {
        let mut bytes = vec![0; 2 * RECORD];
        bytes[RECORD] = 9;
        let file = Path::new("data_batch_1.bin");
        assert_eq!(
            parse(&bytes, file).unwrap(),
            [(0, 1), (9, RECORD as u64 + 1)]
        );
        bytes[RECORD] = 10;
        assert!(
            parse(&bytes, file)
                .unwrap_err()
                .to_string()
                .contains("record 1")
        );
        assert!(
            parse(&bytes[1..], file)
                .unwrap_err()
                .to_string()
                .contains("truncated")
        );
    }
}
