//! ISIC 2018 task 3: images in `ISIC2018_Task3_{Training,Validation}_Input`, classes in `..._GroundTruth/..._GroundTruth.csv`.
//!
//! The official validation set is the test set (the truth of the official test set came later and is not used by the protocol). Lesions
//! are named where `ISIC2018_Task3_Training_LesionGroupings.csv` is present. Images without a row in the table are ignored.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Dataset, Layout};
use crate::error::DataError;
use crate::find_files::{find_file, subfolders, unwrap_root};
use crate::listing::list_images;
use crate::sample::{Label, Sample};
use crate::table::Table;

const HINT: &str = "the layout isic2018 is ISIC2018_Task3_{Training,Validation}_Input/*.jpg and ISIC2018_Task3_{Training,Validation}_GroundTruth/*.csv";
const CLASSES: [&str; 7] = ["MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"];
/// Melanocytic naevi, the only normal class.
const NORMAL: &str = "NV";

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let root = unwrap_root(
        root,
        "folder ISIC2018_Task3_Training_Input",
        HINT,
        |folder| Ok(input_folder(folder, "training")?.is_some()),
    )?;
    let lesions = match find_file(&root, "ISIC2018_Task3_Training_LesionGroupings.csv")? {
        Some(path) => read_lesions(&path)?,
        None => HashMap::new(),
    };
    Ok(Dataset::new(
        "isic2018",
        Layout::Isic2018,
        read_part(&root, "Training", &lesions)?,
        read_part(&root, "Validation", &lesions)?,
    ))
}

/// The folder of images of a part.
fn input_folder(root: &Path, part: &str) -> Result<Option<PathBuf>, DataError> {
    let wanted = format!("task3_{part}_input");
    Ok(subfolders(root)?
        .into_iter()
        .find(|(_, name)| name.to_ascii_lowercase().ends_with(&wanted))
        .map(|(path, _)| path))
}

/// Lesion by image.
fn read_lesions(path: &Path) -> Result<HashMap<String, String>, DataError> {
    let table = Table::read(path)?;
    let (image, lesion) = (table.require("image")?, table.require("lesion_id")?);
    Ok(table
        .rows()
        .iter()
        .map(|row| {
            (
                table.cell(row, image).to_owned(),
                table.cell(row, lesion).to_owned(),
            )
        })
        .collect())
}

/// The images of a part in the order of its table.
fn read_part(
    root: &Path,
    part: &str,
    lesions: &HashMap<String, String>,
) -> Result<Vec<Sample>, DataError> {
    let missing = |expected: String| DataError::Missing {
        path: root.to_path_buf(),
        expected,
        hint: HINT.into(),
    };
    let folder = input_folder(root, &part.to_ascii_lowercase())?
        .ok_or_else(|| missing(format!("folder ISIC2018_Task3_{part}_Input")))?;
    let name = format!("ISIC2018_Task3_{part}_GroundTruth.csv");
    let table = Table::read(&find_file(root, &name)?.ok_or_else(|| missing(name))?)?;
    let images: HashMap<String, PathBuf> = list_images(std::slice::from_ref(&folder), &[])?
        .images
        .into_iter()
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    let name = table.require("image")?;
    let classes = CLASSES
        .iter()
        .map(|class| Ok((*class, table.require(&class.to_ascii_lowercase())?)))
        .collect::<Result<Vec<_>, DataError>>()?;
    let mut samples = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        let name = table.cell(row, name);
        let marked: Vec<&str> = classes
            .iter()
            .filter(|(_, column)| table.cell(row, *column).parse() == Ok(1.0))
            .map(|(class, _)| *class)
            .collect();
        let &[class] = marked.as_slice() else {
            return Err(table.error(
                row,
                format!("{name} is marked as {} classes, not one", marked.len()),
            ));
        };
        let path = images.get(name).ok_or_else(|| {
            table.error(row, format!("image {name} is not in {}", folder.display()))
        })?;
        let label = if class == NORMAL {
            Label::Normal
        } else {
            Label::Anomalous
        };
        let group = lesions.get(name).cloned();
        samples.push(Sample {
            group,
            ..Sample::new(path.as_path(), label, class)
        });
    }
    Ok(samples)
}
