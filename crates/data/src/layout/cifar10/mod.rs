//! CIFAR-10, as distributed in binary or python batches, or as folders `{train,test}/CLASS`.
//!
//! One class is normal (the category), the other nine are anomalous.

mod pickle;

use std::path::{Path, PathBuf};

use super::classes::{has_part, read_part};
use super::{Dataset, Layout, choose};
use crate::error::DataError;
use crate::files::unwrap_root;
use crate::sample::{Label, Sample, Source};
use crate::table::TABLE_LIMIT;

const HINT: &str = "the layout cifar10 is data_batch_1.bin to data_batch_5.bin and test_batch.bin, the same without .bin (python), or {train,test}/CLASS/*.png";
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
    Python,
    Folders,
}

impl Form {
    /// The form of what lies in `folder`.
    fn of(folder: &Path) -> Result<Option<Self>, DataError> {
        Ok(if folder.join("test_batch.bin").is_file() {
            Some(Self::Binary)
        } else if folder.join("test_batch").is_file() {
            Some(Self::Python)
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
    let root = unwrap_root(
        root,
        "test_batch.bin, test_batch or train/airplane",
        HINT,
        |folder| Ok(Form::of(folder)?.is_some()),
    )?;
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
            let (file, records) = match form {
                Form::Python => python_batch(root.join(name))?,
                _ => binary_batch(root.join(format!("{name}.bin")))?,
            };
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
        _ => (
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
type Records = Vec<(u8, u64)>;

/// Reads a binary batch.
fn binary_batch(file: PathBuf) -> Result<(PathBuf, Records), DataError> {
    let records = parse_binary(&ckaad_files::read(&file, TABLE_LIMIT)?, &file)?;
    Ok((file, records))
}

/// Reads a python batch.
fn python_batch(file: PathBuf) -> Result<(PathBuf, Records), DataError> {
    let records = parse_python(&ckaad_files::read(&file, TABLE_LIMIT)?, &file)?;
    Ok((file, records))
}

/// The records of a binary batch.
pub(crate) fn parse_binary(bytes: &[u8], file: &Path) -> Result<Records, DataError> {
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

/// The records of a python batch.
pub(crate) fn parse_python(bytes: &[u8], file: &Path) -> Result<Records, DataError> {
    let batch = pickle::read_batch(bytes).map_err(|error| {
        DataError::parse(file, format!("byte {}", error.position), error.reason)
    })?;
    if batch.pixels.len() != batch.labels.len() * PIXELS {
        let reason = format!(
            "{} labels for {} bytes of pixels",
            batch.labels.len(),
            batch.pixels.len()
        );
        return Err(DataError::parse(file, "data", reason));
    }
    let record = |(index, &class): (usize, &i64)| match u8::try_from(class) {
        Ok(class @ 0..=9) => Ok((class, (batch.pixels.start + index * PIXELS) as u64)),
        _ => Err(DataError::parse(
            file,
            format!("record {index}"),
            format!("class {class} is not in 0..=9"),
        )),
    };
    batch.labels.iter().enumerate().map(record).collect()
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
            parse_binary(&bytes, file).unwrap(),
            [(0, 1), (9, RECORD as u64 + 1)]
        );
        bytes[RECORD] = 10;
        assert!(
            parse_binary(&bytes, file)
                .unwrap_err()
                .to_string()
                .contains("record 1")
        );
        assert!(
            parse_binary(&bytes[1..], file)
                .unwrap_err()
                .to_string()
                .contains("truncated")
        );
    }
}
